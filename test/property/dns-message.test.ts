import { describe, expect, test } from 'vitest';
import { encodeAnswer, isAnswerTo, parseQuery, RecordType, truncate } from '../../src/agent/dns/dns-message.ts';
import { DnsProxy } from '../../src/agent/dns/dns-proxy.ts';
import { FramedReader, framed } from '../../src/agent/dns/framed-message.ts';
import { decodeNameTable } from '../../src/agent/dns/name-table.ts';
import { UpstreamResolver } from '../../src/agent/dns/upstream-resolver.ts';
import { KeptLog } from '../kept-log.ts';
import * as fc from './chance.ts';

const label = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-', '_') });
const name = fc.array(label, { minLength: 1, maxLength: 6 });

function query(labels: readonly string[], type: number): Uint8Array {
  const written = labels.flatMap((each) => [each.length, ...Buffer.from(each)]);
  return Uint8Array.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...written, 0, type >> 8, type & 0xff, 0, 1]);
}

/** A query with bytes changed here and there, so that more than the first check is passed. */
const nearlyQuery = fc
  .tuple(name, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }), fc.nat(80))
  .map(([labels, changes, length]) => {
    const bytes = Uint8Array.from([...query(labels, 1), 0xc0, 12, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0]);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes.subarray(0, Math.max(12, length));
  });

describe('messages of DNS', () => {
  test('whatever comes is read, or is not, and is answered with what can be sent', async () => {
    const proxy = new DnsProxy(
      new UpstreamResolver([], false, 1, () => 0),
      { namespace: '', domain: '', searchDomain: '' },
      false,
      new KeptLog(),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), nearlyQuery), async (bytes) => {
        const asked = parseQuery(bytes);
        const answer = await proxy.answer(bytes, false);
        expect(answer === null).toBe(asked === null);
        if (answer === null || asked === null) return;
        expect(isAnswerTo(answer, asked.id)).toBe(true);
        expect(answer.length).toBeLessThanOrEqual(12 + asked.question.length);
      }),
    );
  });

  test('names are read as they are written', () => {
    fc.assert(
      fc.property(name, fc.nat(0xffff), (labels, type) => {
        expect(parseQuery(query(labels, type))).toMatchObject({ id: 9, name: `${labels.join('.')}.`, type });
      }),
    );
  });

  test('an answer fits, says the question, and has as many records as it says', () => {
    const record = fc.tuple(name, fc.uint8Array({ minLength: 4, maxLength: 4 }));
    fc.assert(
      fc.property(
        name,
        fc.array(record, { maxLength: 60 }),
        fc.integer({ min: 512, max: 4096 }),
        (labels, found, max) => {
          const asked = parseQuery(query(labels, RecordType.A))!;
          const records = found.map(([owner, data]) => ({ owner: `${owner.join('.')}.`, type: RecordType.A, data }));
          const answer = encodeAnswer(asked, 0, records, 30, max);
          expect(answer.length).toBeLessThanOrEqual(max);
          const count = (answer[6] << 8) | answer[7];
          expect((answer[2] & 2) !== 0).toBe(count < records.length);
          expect(readOwners(answer, count)).toEqual(records.slice(0, count).map(({ owner }) => owner));
          expect(truncate(answer, asked.question).length).toBe(12 + asked.question.length);
        },
      ),
    );
  });

  test('messages over TCP may come in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.array(fc.integer({ min: 1, max: 20 })),
        (all, cuts) => {
          const bytes = Buffer.concat(all.map(framed));
          const read: Uint8Array[] = [];
          const reader = new FramedReader((message) => void read.push(Uint8Array.from(message)));
          let at = 0;
          for (const cut of [...cuts, bytes.length]) reader.read(bytes.subarray(at, (at += cut)));
          expect(read).toEqual(all);
        },
      ),
    );
  });

  test('a table of names is read, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          decodeNameTable(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
    );
  });
});

/** Owners of the records, read by the question's own reader: each record is put behind a header as if it were one. */
function readOwners(answer: Uint8Array, count: number): string[] {
  const owners: string[] = [];
  let at = nameEnd(answer, 12) + 4;
  for (let i = 0; i < count; i++) {
    owners.push(nameAt(answer, at));
    const end = nameEnd(answer, at);
    at = end + 10 + ((answer[end + 8] << 8) | answer[end + 9]);
  }
  expect(at).toBe(answer.length);
  return owners;
}

function nameEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] !== 0) {
    if (bytes[at] >= 0xc0) return at + 2;
    at += 1 + bytes[at];
  }
  return at + 1;
}

function nameAt(bytes: Uint8Array, start: number): string {
  let text = '';
  let at = start;
  while (bytes[at] !== 0) {
    if (bytes[at] >= 0xc0) at = ((bytes[at] & 0x3f) << 8) | bytes[at + 1];
    else {
      text += `${Buffer.from(bytes.subarray(at + 1, at + 1 + bytes[at])).toString()}.`;
      at += 1 + bytes[at];
    }
  }
  return text;
}
