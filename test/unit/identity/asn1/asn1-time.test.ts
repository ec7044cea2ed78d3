import { expect, test } from 'vitest';
import { asn1TimeMs } from '../../../../src/identity/asn1/asn1-time.ts';
import { DerError, tags } from '../../../../src/identity/asn1/der-reader.ts';

test.each([
  [tags.utcTime, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [tags.utcTime, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [tags.utcTime, '2601020304Z', '2026-01-02T03:04:00.000Z'],
  [tags.utcTime, '260102030405+0130', '2026-01-02T01:34:05.000Z'],
  [tags.generalizedTime, '20500102030405Z', '2050-01-02T03:04:05.000Z'],
  [tags.generalizedTime, '00010102030405.5Z', '0001-01-02T03:04:05.000Z'],
])('tag %i %s is %s', (tag, text, instant) => {
  expect(new Date(asn1TimeMs(tag, Buffer.from(text))).toISOString()).toBe(instant);
});

test.each([
  [tags.utcTime, 'yesterday'],
  [tags.utcTime, '20500102030405Z'],
  [tags.generalizedTime, '491231235959Z'],
  [tags.utf8String, '491231235959Z'],
])('tag %i %s is none', (tag, text) => {
  expect(() => asn1TimeMs(tag, Buffer.from(text))).toThrow(DerError);
});
