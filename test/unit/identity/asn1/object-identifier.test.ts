import { expect, test } from 'vitest';
import { dottedOid } from '../../../../src/identity/asn1/object-identifier.ts';

test.each([
  ['550403', '2.5.4.3'],
  ['2a864886f70d010901', '1.2.840.113549.1.9.1'],
  ['2b', '1.3'],
  ['883703', '2.999.3'],
  ['699fb6ecdae2a2f9d6dce4d9f7fea5a2ff7f0001', '2.25.163186154148064541823713474064728063.0.1'],
  ['2a86', '1.2'],
  ['', ''],
])('%s is %s', (bytes, text) => {
  expect(dottedOid(Buffer.from(bytes, 'hex'))).toBe(text);
});
