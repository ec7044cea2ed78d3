import { create, toBinary } from '@bufbuild/protobuf';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { basicAuthBuilder } from '../../../../src/filter/basic-auth/build.ts';
import { basicAuthDecoder, basicAuthPerRouteDecoder } from '../../../../src/filter/basic-auth/decode.ts';
import { parseUsers } from '../../../../src/filter/basic-auth/users.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import {
  BasicAuthPerRouteSchema,
  BasicAuthSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/basic_auth/v3/basic_auth_pb.js';
import * as fc from '../../../property/chance.ts';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const hash = (password: string): string => `{SHA}${createHash('sha1').update(password).digest('base64')}`;
const source = (inlineString: string) => ({ specifier: { case: 'inlineString', value: inlineString } }) as const;

test.each([
  ['alice', 'basic auth: invalid htpasswd format, username:password is expected'],
  [':x', 'basic auth: empty user name or password'],
  ['a:', 'basic auth: empty user name or password'],
  ['a:$apr1$x', 'basic auth: unsupported htpasswd format: please use {SHA}'],
  ['a:{SHA}short', 'basic auth: invalid htpasswd format, invalid SHA hash length'],
  [`a:${hash('x')}\na:${hash('y')}`, 'basic auth: duplicate users'],
])('%j: %s', (text, problem) => {
  expect(parseUsers(text)).toBe(problem);
});

test('any text is users, or has a problem', () => {
  fc.assert(fc.property(fc.string(), (text) => ['string', 'object'].includes(typeof parseUsers(text))));
});

test('a name that no field can hold is not forwarded', () => {
  const settings = { users: source(`a\x01b:${hash('p')}`), forwardUsernameHeader: 'X-User' };
  const bytes = toBinary(BasicAuthSchema, create(BasicAuthSchema, settings));
  const context = filterContext();
  const filter = basicAuthBuilder.build(basicAuthDecoder.decode(bytes, new Reasons(), { open: () => null }), context);
  const credentials = Buffer.from('a\x01b:p').toString('base64');
  const stream = new TestStream(
    context,
    request([
      ['authorization', `Basic ${credentials}`],
      ['x-user', 'mine'],
    ]),
  );
  expect(filter.create().onRequestHead!(stream, stream.requestHead, true)).toBe(Verdict.Continue);
  expect(stream.requestHead.headers.has('x-user')).toBe(false);
});

test('what is wrong is told where it stands', () => {
  const reasons = new Reasons();
  const bytes = toBinary(BasicAuthPerRouteSchema, create(BasicAuthPerRouteSchema, { users: source('a') }));
  basicAuthPerRouteDecoder.decode(bytes, reasons, { open: () => null });
  expect(reasons.list[0].path).toBe('users');
});
