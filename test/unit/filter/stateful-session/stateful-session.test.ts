import { expect, test } from 'vitest';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { Stream } from '../../../../src/filter/filter.ts';
import { statefulSessionBuilder } from '../../../../src/filter/stateful-session/build.ts';
import {
  statefulSessionDecoder,
  statefulSessionPerRouteDecoder,
} from '../../../../src/filter/stateful-session/decode.ts';
import { writeSession } from '../../../../src/filter/stateful-session/session-cookie.ts';
import type { StatefulSessionData } from '../../../../src/filter/stateful-session/stateful-session-data.ts';
import {
  StatefulSessionPerRouteSchema,
  StatefulSessionSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js';
import { HeaderBasedSessionStateSchema } from '../../../../src/proto/envoy/extensions/http/stateful_session/header/v3/header_pb.js';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

const cookie: StatefulSessionData = {
  carrier: { kind: 'cookie', name: 's', cookie: { maxAgeSeconds: 0, path: '/page', attributes: [] } },
  isStrict: true,
  notFoundStatus: 404,
  statPrefix: '',
};
const header: StatefulSessionData = {
  carrier: { kind: 'header', name: 'x-session' },
  isStrict: false,
  notFoundStatus: 0,
  statPrefix: '',
};

function passed(data: StatefulSessionData, headers: [string, string][], path: string, host: string) {
  const context = filterContext();
  const filter = statefulSessionBuilder.build(data, context).create();
  const stream: Stream = new TestStream(context, request(headers, { path }));
  filter.onRequestHead!(stream, stream.requestHead, true);
  stream.outcome.upstreamHost = host;
  const head = response();
  filter.onResponseHead!(stream, head, true);
  return { override: stream.overrideHost ?? null, told: lines(head.headers) };
}

const address = '10.0.0.1:80';
const encoded = Buffer.from(address).toString('base64');

test('a client without a session is told its host', () => {
  expect(passed(header, [], '/', address)).toEqual({ override: null, told: [`x-session: ${encoded}`] });
  const { told } = passed(cookie, [], '/page/x', address);
  expect(told).toEqual([`set-cookie: s="${writeSession(address, 0)}"; Path=/page; HttpOnly`]);
});

test('one with a session gets its host, and hears of it only where that has changed', () => {
  const kept = passed(header, [['x-session', encoded]], '/', address);
  expect(kept).toEqual({ override: { address, isStrict: false, notFoundStatus: 0 }, told: [] });
  const moved = passed(cookie, [['cookie', `s="${writeSession(address, 0)}"`]], '/page?q', '10.0.0.2:80');
  expect(moved.override).toEqual({ address, isStrict: true, notFoundStatus: 404 });
  expect(moved.told).toHaveLength(1);
});

test('other paths than the cookie’s have no sessions', () => {
  expect(passed(cookie, [], '/pages', address).told).toEqual([]);
  expect(passed(cookie, [], '/', address).told).toEqual([]);
});

test('a route may switch sessions off, and an unknown carrier is refused', () => {
  const off = toBinary(
    StatefulSessionPerRouteSchema,
    create(StatefulSessionPerRouteSchema, { override: { case: 'disabled', value: true } }),
  );
  const none = { open: () => null };
  expect(statefulSessionPerRouteDecoder.decode(off, new Reasons(), none)).toEqual({
    carrier: null,
    isStrict: false,
    notFoundStatus: 0,
    statPrefix: '',
  });
  const typedConfig = anyPack(HeaderBasedSessionStateSchema, create(HeaderBasedSessionStateSchema, { name: 'X-S' }));
  const known = create(StatefulSessionSchema, { sessionState: { name: 'n', typedConfig }, strict: true });
  const data = statefulSessionDecoder.decode(toBinary(StatefulSessionSchema, known), new Reasons(), none);
  expect(data).toEqual({ carrier: { kind: 'header', name: 'x-s' }, isStrict: true, notFoundStatus: 0, statPrefix: '' });
  const unknown = create(StatefulSessionSchema, { sessionState: { name: 'n' } });
  const reasons = new Reasons();
  statefulSessionDecoder.decode(toBinary(StatefulSessionSchema, unknown), reasons, none);
  expect(reasons.list).toHaveLength(1);
});

test('what became of sessions is counted where that has a name', () => {
  const context = filterContext();
  const builder = statefulSessionBuilder.build({ ...header, statPrefix: 'own' }, context);
  for (const host of [address, '10.0.0.2:80', '']) {
    const stream: Stream = new TestStream(context, request([['x-session', encoded]]));
    const filter = builder.create();
    filter.onRequestHead!(stream, stream.requestHead, true);
    stream.outcome.upstreamHost = host;
    filter.onResponseHead!(stream, response(), true);
  }
  expect(context.stats.used).toEqual({ 'stateful_session.own.routed': 1, 'stateful_session.own.failed_open': 2 });
});

test('a status that no answer can have is refused', () => {
  const reasons = new Reasons();
  const message = create(StatefulSessionSchema, { statusOnStrictDestinationNotFound: 99 });
  statefulSessionDecoder.decode(toBinary(StatefulSessionSchema, message), reasons, { open: () => null });
  expect(reasons.list.map(({ path }) => path)).toEqual(['status_on_strict_destination_not_found']);
});
