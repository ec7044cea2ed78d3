// oxlint-disable-next-line import/no-unassigned-import -- what the library below is made with wants it first
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { certificateRequestPem, issuedCertificatePem } from '../../../src/identity/certificate-request.ts';

const uri = 'spiffe://cluster.local/ns/shop/sa/billing';

test.each([
  ['EC', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
])('a request with an %s key is signed, and has no name but its URI', async (_kind, key) => {
  const request = new x509.Pkcs10CertificateRequest(certificateRequestPem(key, { uri }));
  expect(await request.verify()).toBe(true);
  expect(request.subject).toBe('');
  const [extension] = request.extensions;
  expect(extension.type).toBe('2.5.29.17');
  expect(extension.critical).toBe(true);
  expect(new x509.SubjectAlternativeNameExtension(extension.rawData).names.toJSON()).toEqual([
    { type: 'url', value: uri },
  ]);
});

test('what an authority issues is a certificate of its URI, and leads back to it', () => {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const dates = { validFromMs: Date.UTC(2026, 0, 1), validToMs: Date.UTC(2060, 0, 1) };
  const names = { issuer: 'root', serial: Uint8Array.of(0, 0x81, 2) };
  const rootPem = issuedCertificatePem(
    { ...dates, ...names, subject: 'root', uri: '', publicKey: root.publicKey },
    root.privateKey,
  );
  const leafPem = issuedCertificatePem(
    { ...dates, ...names, subject: '', uri, publicKey: leaf.publicKey },
    root.privateKey,
  );
  const authority = new X509Certificate(rootPem);
  const certificate = new X509Certificate(leafPem);
  expect(authority.ca).toBe(true);
  expect(authority.checkIssued(authority)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.verify(createPublicKey(root.privateKey))).toBe(true);
  expect(certificate.checkIssued(authority)).toBe(true);
  expect(certificate.serialNumber).toBe('8102');
  expect(certificate.subjectAltName).toBe(`URI:${uri}`);
  expect(certificate.validToDate).toEqual(new Date(dates.validToMs));
});
