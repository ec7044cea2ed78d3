import { expect, test } from 'vitest';
import { readClientHello } from '../../src/codec/client-hello/client-hello.ts';
import { ja3, ja4 } from '../../src/codec/client-hello/fingerprint.ts';
import {
  body,
  extension,
  groups,
  message,
  pointFormats,
  protocols,
  record,
  serverName,
  signatures,
  versions,
} from '../unit/codec/client-hello/hellos.ts';
import * as fc from './chance.ts';

const word = fc.stringMatching(/^[a-z0-9.-]{1,40}$/);
const number = fc.nat(0xffff);
const unknown = fc
  .tuple(fc.integer({ min: 100, max: 9000 }), fc.uint8Array({ maxLength: 40 }))
  .map(([type, contents]) => extension(type, Buffer.from(contents)));
const known = fc.oneof(
  word.map(serverName),
  fc.array(word, { minLength: 1, maxLength: 4 }).map((names) => protocols(...names)),
  fc.array(number, { maxLength: 6 }).map((list) => groups(...list)),
  fc.array(fc.nat(255), { maxLength: 3 }).map((list) => pointFormats(...list)),
  fc.array(number, { maxLength: 6 }).map((list) => signatures(...list)),
  fc.array(number, { maxLength: 6 }).map((list) => versions(...list)),
);
const typeOf = (one: Buffer): number => one.readUInt16BE(0);
const hellos = fc
  .record({
    version: fc.constantFrom(0x0301, 0x0302, 0x0303, 0x0304),
    suites: fc.array(number, { minLength: 1, maxLength: 30 }),
    extensions: fc.uniqueArray(fc.oneof(known, unknown), { selector: typeOf, maxLength: 12 }),
  })
  .map((parts) => message(body(parts)));

/** A message in records of these sizes. */
function inRecords(whole: Buffer, sizes: readonly number[]): Buffer {
  const records: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, Infinity]) {
    if (at >= whole.length) break;
    const to = Math.min(whole.length, at + size);
    records.push(record(whole.subarray(at, to)));
    at = to;
  }
  return Buffer.concat(records);
}

function facts(bytes: Uint8Array): unknown {
  const hello = readClientHello(bytes);
  if (hello === null) return null;
  const { problem, serverName: name, applicationProtocols, supportedVersions, legacyVersion } = hello;
  const prints = hello.isReadable ? [ja3(hello), ja4(hello)] : [];
  return { problem, name, applicationProtocols, supportedVersions, legacyVersion, prints };
}

const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 });

test('a hello says the same however its records are cut, and none of it before its last byte', () => {
  fc.assert(
    fc.property(hellos, sizes, (whole, cuts) => {
      const bytes = inRecords(whole, cuts);
      const hello = readClientHello(bytes)!;
      expect(hello.problem).toBeNull();
      expect(facts(bytes)).toEqual(facts(record(whole)));
      expect(hello.consumed).toBe(bytes.length);
      for (const size of [0, 1, 4, 5, bytes.length >> 1, bytes.length - 1])
        expect(readClientHello(bytes.subarray(0, size))).toBeNull();
    }),
  );
});

test('nothing behind the hello is read', () => {
  fc.assert(
    fc.property(hellos, sizes, fc.uint8Array({ maxLength: 50 }), (whole, cuts, more) => {
      const bytes = inRecords(whole, cuts);
      expect(facts(Buffer.concat([bytes, more]))).toEqual(facts(bytes));
    }),
  );
});

test('bytes of any kind get an answer, and it stands whatever follows', () => {
  const damaged = fc
    .tuple(hellos, sizes, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([whole, cuts, damage]) => {
      const bytes = inRecords(whole, cuts);
      for (const [at, value] of damage) bytes[at % bytes.length] = value;
      return bytes;
    });
  const any = fc.oneof(damaged, fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(any, fc.nat(), (bytes, cut) => {
      const whole = facts(bytes);
      const part = facts(bytes.subarray(0, cut % (bytes.length + 1)));
      if (part !== null) expect(part).toEqual(whole);
      const hello = readClientHello(bytes);
      if (hello !== null) expect(hello.consumed).toBeLessThanOrEqual(bytes.length + 0x4140);
    }),
    { numRuns: 500 },
  );
});
