import { expect, test } from 'vitest';
import { CertificateError } from '../../../src/identity/certificate.ts';
import { daysUntilExpiry, daysUntilFirstExpiry, neverExpires } from '../../../src/identity/expiry.ts';
import { certificatesOfPem, pemBlocks } from '../../../src/identity/pem.ts';
import { Authority } from '../../certificates.ts';

const root = await Authority.root();
const { chainPem, keyPem } = await (await root.intermediate()).issue({ notAfter: new Date('2031-01-01T00:00:00Z') });

const unended = '-----BEGIN CERTIFICATE-----\nMIIB';

test('a bundle has blocks with text between them', () => {
  const text = `subject=x\r\n${chainPem}\n# the key\n${keyPem}${unended}`;
  expect(pemBlocks(text).map(({ label }) => label)).toEqual(['CERTIFICATE', 'CERTIFICATE', 'PRIVATE KEY']);
  expect(certificatesOfPem(text).map(({ subject }) => subject)).toEqual(['CN=test', 'CN=Test Intermediate']);
});

test('what is in a block must be a certificate', () => {
  expect(() => certificatesOfPem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow(
    CertificateError,
  );
  expect(pemBlocks('-----BEGIN ')).toEqual([]);
});

test('days are counted until the first expires', () => {
  const [leaf, authority] = certificatesOfPem(chainPem);
  const now = Date.parse('2030-12-30T12:00:00Z');
  expect(daysUntilExpiry(leaf, now)).toBe(1);
  expect(daysUntilExpiry(leaf, Date.parse('2031-01-01T00:00:01Z'))).toBeNull();
  expect(daysUntilFirstExpiry([leaf], now)).toBe(1);
  expect(daysUntilFirstExpiry([leaf, authority], now)).toBe(0);
  expect(daysUntilFirstExpiry([], now)).toBe(neverExpires);
});
