import { expect, test } from 'vitest';
import { H1ClientCodec } from '../../src/codec/h1/client.ts';
import {
  defaultClientOptions,
  defaultServerOptions,
  UnderscoreAction,
  type H1ServerOptions,
} from '../../src/codec/h1/options.ts';
import { H1ServerCodec } from '../../src/codec/h1/server.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../src/core/head.ts';
import { Headers } from '../../src/core/headers.ts';
import { requestOf, requestRows, responseRows, type Variant } from '../peers/h1-malformed.table.ts';
import { RecordingAcceptor, RecordingHost, RecordingOwner, RecordingUser } from './recorder.ts';

const optionsOf: Readonly<Record<Variant, H1ServerOptions>> = {
  default: defaultServerOptions,
  customMethods: { ...defaultServerOptions, allowCustomMethods: true },
  http10: { ...defaultServerOptions, acceptHttp10: true },
  noAbsolute: { ...defaultServerOptions, allowAbsoluteUrl: false },
  trailers: { ...defaultServerOptions, enableTrailers: true },
  chunkedLength: { ...defaultServerOptions, allowChunkedLength: true },
  underscoreReject: { ...defaultServerOptions, headersWithUnderscores: UnderscoreAction.Reject },
  underscoreDrop: { ...defaultServerOptions, headersWithUnderscores: UnderscoreAction.Drop },
};

/** Details of answers that the connection manager gives to heads that are fine for the codec. */
const managers = /missing_host_header|absolute_path_rejected|path_normalization_failed|route_not_found/;

function verdictOf(bytes: string, options: H1ServerOptions): string {
  const verdicts: string[] = [];
  const acceptor = new RecordingAcceptor([], (stream, failure) => {
    verdicts.push(failure === null ? '200 via_upstream' : `${failure.kind.status} ${failure.kind.reason}`);
    const headers = Headers.of(['content-length', '0']);
    stream.head(new ResponseHead(failure === null ? 200 : failure.kind.status, headers), true);
  });
  new H1ServerCodec(new RecordingHost(), acceptor, options).receive(Buffer.from(bytes, 'latin1'));
  const waiting = acceptor.users.find((user) => !user.isOver);
  if (waiting !== undefined || verdicts.length === 0) verdicts.push('-');
  return verdicts.join(', ');
}

/** What the codec must say where the manager would answer: the head is good, or an upgrade waits for its bytes. */
function codecVerdict(verdict: string): string {
  if (verdict.includes('upgrade_failed')) return '-';
  if (verdict.includes('route_not_found')) return '-';
  return managers.test(verdict) ? '200 via_upstream' : verdict;
}

test.for(requestRows.map((row) => [row.name, row] as const))('request: %s', ([, row]) => {
  expect(verdictOf(row.bytes, optionsOf[row.variant ?? 'default'])).toBe(codecVerdict(row.sekisho ?? row.envoy));
});

test('a row that differs says why', () => {
  for (const row of [...requestRows, ...responseRows]) {
    expect(row.sekisho === undefined, row.name).toBe(row.why === undefined);
    expect(row.sekisho, row.name).not.toBe(row.envoy);
  }
});

test.for(responseRows.map((row) => [row.name, row] as const))('response: %s', ([, row]) => {
  const user = new RecordingUser<ResponseHead>([]);
  const codec = new H1ClientCodec(new RecordingHost(), new RecordingOwner([]), defaultClientOptions);
  const [method = ''] = requestOf(row).split(' ');
  const isComplete = !/content-length/i.test(requestOf(row));
  const stream = codec.open(user);
  stream.head(new RequestHead(method, 'a.test', '/', HttpVersion.Http11, new Headers()), isComplete);
  codec.receive(Buffer.from(row.bytes, 'latin1'));
  if (row.end === true) codec.receiveEnd();
  const status = user.events.findLast((event) => event.startsWith('response '))?.split(' ')[1];
  let verdict = `${status} via_upstream`;
  if (user.failure !== null) {
    const reason = user.failure.kind.reason.replaceAll(' ', '_');
    verdict =
      status === undefined || status.startsWith('1')
        ? `${user.failure.kind.status} upstream_reset_before_response_started{${reason}}`
        : `${status} upstream_reset_after_response_started{${reason}}`;
  }
  expect(verdict).toBe(row.sekisho ?? row.envoy);
  expect(user.isOver).toBe(true);
});
