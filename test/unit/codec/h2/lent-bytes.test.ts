import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { defaultServerOptions } from '../../../../src/codec/h2/options.ts';
import { H2ServerCodec } from '../../../../src/codec/h2/server.ts';
import { lentBytes } from '../../../../src/core/lent-bytes.ts';
import { LocalReset } from '../../../../src/core/failures.ts';
import { bytesOfLine } from '../../../wire/h2-frames.ts';
import { CollectingAcceptor, RecordingHost } from '../../../wire/recorder.ts';

const begin = ['PREFACE', 'SETTINGS ', 'SETTINGS ack', 'HEADERS 1 :method=POST :scheme=http :path=/ :authority=a.test'];

/** What becomes of memory that is lent for one chunk with these frames. True: it is free again. */
function lend(codec: H2ServerCodec, lines: readonly string[]): boolean {
  const chunk = new Uint8Array(Buffer.concat(lines.map(bytesOfLine)));
  lentBytes.lend(chunk);
  codec.receive(chunk, 0);
  return lentBytes.end(chunk.length);
}

function open(): { codec: H2ServerCodec; acceptor: CollectingAcceptor } {
  const acceptor = new CollectingAcceptor();
  const codec = new H2ServerCodec(new RecordingHost(), acceptor, defaultServerOptions);
  return { codec, acceptor };
}

test('heads and control frames are done with when they are read', () => {
  expect(lend(open().codec, [...begin, 'PING whatever', 'WINDOW_UPDATE 0 5'])).toBe(true);
});

test('data is its receiver’s to settle', () => {
  const { codec, acceptor } = open();
  expect(lend(codec, [...begin, 'DATA 1 hello'])).toBe(false);
  acceptor.user.data = (chunk) => lentBytes.settle(chunk, chunk.length);
  expect(lend(codec, ['DATA 1 pad=7 hello', 'DATA 1 world'])).toBe(true);
});

test('data that nobody wants is done with', () => {
  const { codec, acceptor } = open();
  expect(lend(codec, begin)).toBe(true);
  acceptor.stream!.reset(LocalReset);
  expect(lend(codec, ['DATA 1 hello'])).toBe(true);
});

test('what comes behind an error is done with', () => {
  const { codec } = open();
  expect(lend(codec, [...begin, 'FRAME 6 0 0 00', 'DATA 1 hello'])).toBe(true);
  expect(lend(codec, ['DATA 1 hello'])).toBe(true);
});
