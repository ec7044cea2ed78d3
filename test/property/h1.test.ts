import { expect, test } from 'vitest';
import { H1ClientCodec } from '../../src/codec/h1/client.ts';
import { defaultClientOptions, defaultServerOptions } from '../../src/codec/h1/options.ts';
import { H1ServerCodec } from '../../src/codec/h1/server.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../src/core/head.ts';
import { Headers } from '../../src/core/headers.ts';
import type { MessageSink } from '../../src/core/message-sink.ts';
import {
  CollectingAcceptor,
  CollectingUser,
  RecordingAcceptor,
  RecordingHost,
  RecordingOwner,
  RecordingUser,
} from '../wire/recorder.ts';
import { chunks, cuts, fields, path, pieces, request, response, spoilt } from './h1-messages.ts';
import * as fc from './chance.ts';

const serverOptions = { ...defaultServerOptions, enableTrailers: true };
const clientOptions = { ...defaultClientOptions, enableTrailers: true };

/** Everything that the users of a server hear of these pieces; each request is answered when it ends. */
function heardByServer(parts: readonly Buffer[]): string[] {
  const events: string[] = [];
  const acceptor = new RecordingAcceptor(events, (stream) => {
    stream.head(new ResponseHead(200, Headers.of(['content-length', '0'])), true);
  });
  const codec = new H1ServerCodec(new RecordingHost(), acceptor, serverOptions);
  for (const part of parts) codec.receive(part);
  for (const user of acceptor.users) user.flushData();
  return events;
}

/** Everything that the user of a request hears of these pieces. */
function heardByClient(parts: readonly Buffer[]): string[] {
  const events: string[] = [];
  const user = new RecordingUser<ResponseHead>(events);
  const codec = new H1ClientCodec(new RecordingHost(), new RecordingOwner([]), clientOptions);
  codec.open(user).head(new RequestHead('GET', 'a.test', '/', HttpVersion.Http11, new Headers()), true);
  for (const part of parts) codec.receive(part);
  codec.receiveEnd();
  user.flushData();
  return events;
}

test('any split of a server’s bytes gives the same events', () => {
  const text = fc.oneof(
    request,
    spoilt(request),
    fc.tuple(request, request).map((both) => both.join('')),
  );
  fc.assert(
    fc.property(text, cuts, (wire, at) => {
      expect(heardByServer(pieces(wire, at))).toEqual(heardByServer(pieces(wire, [])));
    }),
    { numRuns: 1000 },
  );
});

test('any split of a client’s bytes gives the same events', () => {
  fc.assert(
    fc.property(fc.oneof(response, spoilt(response)), cuts, (wire, at) => {
      expect(heardByClient(pieces(wire, at))).toEqual(heardByClient(pieces(wire, [])));
    }),
    { numRuns: 1000 },
  );
});

test('random bytes never throw, and end in an event or wait for more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, at) => {
      const wire = Buffer.from(bytes).toString('latin1');
      const served = heardByServer(pieces(wire, at));
      const answered = heardByClient(pieces(wire, at));
      // A line end makes a start line, and random bytes make none that is valid.
      if (/[^\r\n][^\n]*\n/.test(wire)) expect(served.length).toBeGreaterThan(0);
      expect(answered.at(-1)).toMatch(/^reset/);
    }),
    { numRuns: 1000 },
  );
});

/** Writes a message with these verbs. */
function send<Head>(
  stream: MessageSink<Head>,
  head: Head,
  parts: readonly Uint8Array[],
  trailers: readonly (readonly [string, string])[] | null,
): void {
  stream.head(head, parts.length === 0 && trailers === null);
  parts.forEach((part, i) => stream.data(part, trailers === null && i === parts.length - 1));
  if (trailers !== null) stream.trailers(Headers.of(...trailers));
}

/** The fields that are not the codec's own. */
function keptFields(headers: Headers): string[][] {
  return headers.names
    .map((name, i) => [name, headers.values[i]])
    .filter(([name]) => name !== 'content-length' && name !== 'transfer-encoding');
}

const trailing = fc.option(fields.filter((pairs) => pairs.length > 0));

test('what a client encodes a server decodes', () => {
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'OPTIONS');
  fc.assert(
    fc.property(method, path, fields, chunks, trailing, (verb, target, pairs, parts, trailers) => {
      const host = new RecordingHost();
      const client = new H1ClientCodec(host, new RecordingOwner([]), clientOptions);
      const head = new RequestHead(verb, 'a.test', target, HttpVersion.Http11, Headers.of(...pairs));
      send(client.open(new CollectingUser()), head, parts, trailers);

      const acceptor = new CollectingAcceptor();
      new H1ServerCodec(new RecordingHost(), acceptor, serverOptions).receive(Buffer.from(host.written, 'latin1'));
      const { user } = acceptor;
      expect(user.heads).toHaveLength(1);
      expect(user.ends).toBe(1);
      const decoded = user.heads[0];
      expect([decoded.method, decoded.authority, decoded.path]).toEqual([verb, 'a.test', target]);
      expect(keptFields(decoded.headers)).toEqual(pairs);
      expect(user.body).toEqual(Buffer.concat(parts));
      expect(user.trailing === null ? null : keptFields(user.trailing)).toEqual(trailers);
    }),
    { numRuns: 500 },
  );
});

test('what a server encodes a client decodes', () => {
  const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);
  fc.assert(
    fc.property(status, fields, chunks, trailing, (code, pairs, parts, trailers) => {
      const host = new RecordingHost();
      const acceptor = new CollectingAcceptor();
      const server = new H1ServerCodec(host, acceptor, serverOptions);
      server.receive(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
      send(acceptor.stream!, new ResponseHead(code, Headers.of(...pairs)), parts, trailers);

      const user = new CollectingUser<ResponseHead>();
      const events: string[] = [];
      const client = new H1ClientCodec(new RecordingHost(), new RecordingOwner(events), clientOptions);
      const head = new RequestHead('GET', 'a', '/', HttpVersion.Http11, new Headers());
      client.open(user).head(head, true);
      client.receive(Buffer.from(host.written, 'latin1'));
      expect(events).toEqual(['done, reusable']);
      expect(user.heads.map((decoded) => decoded.status)).toEqual([code]);
      expect(keptFields(user.heads[0].headers)).toEqual(pairs);
      expect(user.body).toEqual(Buffer.concat(parts));
      expect(user.trailing === null ? null : keptFields(user.trailing)).toEqual(trailers);
    }),
    { numRuns: 500 },
  );
});

test('a body is passed on without a copy', () => {
  const whole = Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
  const acceptor = new CollectingAcceptor();
  new H1ServerCodec(new RecordingHost(), acceptor, serverOptions).receive(whole);
  expect(acceptor.user.body.toString()).toBe('hello');
  expect(acceptor.user.chunks[0].buffer).toBe(whole.buffer);
});

/** Bytes that a codec holds back. */
function heldBytes(codec: H1ServerCodec): number {
  const inside = codec as unknown as {
    held: Uint8Array | null;
    decoder: { buffer: { bytes: Uint8Array } | null };
  };
  return (inside.held?.length ?? 0) + (inside.decoder.buffer?.bytes.length ?? 0);
}

test('whatever never ends is not kept: memory is bounded', () => {
  const endless = fc.constantFrom(
    ['', 'x'],
    ['GET /', 'x'],
    ['GET / HTTP/1.1\r\n', 'x'],
    ['GET / HTTP/1.1\r\nX: ', 'x'],
    ['GET / HTTP/1.1\r\n', 'X: y\r\n'],
    ['GET / HTTP/1.1\r\nX: y\r\n', ' z\r\n'],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'X: y\r\n'],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;', 'x'],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', '0'],
    ['', '\r\n'],
  );
  fc.assert(
    fc.property(endless, fc.integer({ min: 500, max: 20_000 }), ([start = '', more = ''], size) => {
      const events: string[] = [];
      const codec = new H1ServerCodec(new RecordingHost(), new RecordingAcceptor(events), defaultServerOptions);
      codec.receive(Buffer.from(start));
      const piece = Buffer.from(more.repeat(Math.ceil(size / more.length)));
      for (let sent = 0; sent < 200_000; sent += piece.length) {
        codec.receive(Buffer.from(piece));
        expect(heldBytes(codec)).toBeLessThanOrEqual(2 * (defaultServerOptions.headersBytesMax + piece.length));
      }
      if (more !== '\r\n') expect(events.at(-1)).toMatch(/^protocol error/);
    }),
    { numRuns: 60 },
  );
});
