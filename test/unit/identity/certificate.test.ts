import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CertificateError, keyUsages, readCertificate } from '../../../src/identity/certificate.ts';
import { Authority, element, Extension } from '../../certificates.ts';

const root = await Authority.root('CN=Root,O=Tests');
const leaf = await root.issue({
  subject: 'CN=leaf,O=Tests',
  dns: ['a.example', '*.b.example'],
  uris: ['spiffe://cluster.local/ns/default/sa/web'],
  emails: ['a@b.example'],
  ips: ['10.1.2.3', '::1', '2001:db8::5', '1:0:0:2:3:0:0:4'],
  otherNames: [
    { oid: '1.3.6.1.4.1.311.20.2.3', value: element(0x0c, Buffer.from('user@a')) },
    { oid: '1.2.3', value: element(0x02, Buffer.from([0x80, 66])) },
    { oid: '1.2.3', value: element(0x30, Buffer.from([2, 1, 5])) },
    { oid: '1.2.4', value: element(0x01, Buffer.from([0xff])) },
    { oid: '1.2.4', value: element(0x05, Buffer.of()) },
    { oid: '1.2.5', value: element(0x06, Buffer.from([0x2a, 3, 4])) },
    { oid: '1.2.5', value: element(0x12, Buffer.from('12')) },
    { oid: '1.2.5', value: element(0x03, Buffer.from([0, 0x41])) },
    { oid: '1.2.5', value: element(0x1e, Buffer.from([0, 0x41])) },
    { oid: '1.2.5', value: element(0x0a, Buffer.from([7])) },
  ],
  serial: '0500',
});
const certificate = readCertificate(leaf.der);
const opened = new X509Certificate(leaf.der);

describe('a certificate', () => {
  test('says who it is and who signed it', () => {
    expect(certificate).toMatchObject({ subject: 'O=Tests,CN=leaf', issuer: 'O=Tests,CN=Root', commonNames: ['leaf'] });
  });

  test('has its names by type', () => {
    expect(certificate).toMatchObject({
      dnsNames: ['a.example', '*.b.example'],
      uris: ['spiffe://cluster.local/ns/default/sa/web'],
      emails: ['a@b.example'],
      ipAddresses: ['10.1.2.3', '::1', '2001:db8::5', '1::2:3:0:0:4'],
      otherNames: ['user@a', '-32702', '0\x03\x02\x01\x05', 'true', '', '1.2.3.4', '', 'A', 'A', '7'],
    });
  });

  test('knows the type of its other names', () => {
    expect(certificate.names.filter(({ type }) => type === 'OTHER_NAME')[0]).toEqual({
      type: 'OTHER_NAME',
      oid: '1.3.6.1.4.1.311.20.2.3',
      value: 'user@a',
    });
  });

  test('says the same as OpenSSL', () => {
    expect(certificate.sha256).toBe(opened.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(certificate.sha1).toBe(opened.fingerprint.replaceAll(':', '').toLowerCase());
    expect(certificate.validFromEpochMs).toBe(Date.parse(opened.validFrom));
    expect(certificate.validToEpochMs).toBe(Date.parse(opened.validTo));
    expect(certificate.pem).toBe(opened.toString());
  });

  test('prints its serial number byte by byte, without the bytes of zero in front', async () => {
    expect(certificate.serial).toBe('0500');
    expect(readCertificate((await root.issue({ serial: '00ff01' })).der).serial).toBe('ff01');
    expect(readCertificate((await root.issue({ serial: '0a' })).der).serial).toBe('0a');
  });

  test('says what it may be used for', () => {
    expect(certificate.isAuthority).toBe(false);
    expect(certificate.keyUsage).toBe(keyUsages.digitalSignature | keyUsages.keyEncipherment);
    const authority = readCertificate(root.certificate.der);
    expect(authority.isAuthority).toBe(true);
    expect(authority.keyUsage).toBe(keyUsages.keyCertSign | keyUsages.crlSign);
  });

  test('without extensions has no names and says nothing of its use', async () => {
    const bare = readCertificate((await root.issue({ keyUsages: null, extendedUsages: [] })).der);
    expect(bare).toMatchObject({ dnsNames: [], uris: [], keyUsage: null, isMustStaple: false });
  });

  test('may promise to staple', async () => {
    const promise = new Extension('1.3.6.1.5.5.7.1.24', false, Buffer.from('3003020105', 'hex'));
    expect(readCertificate((await root.issue({ extensions: [promise] })).der).isMustStaple).toBe(true);
  });

  test('has no names where they cannot be read', async () => {
    const broken = new Extension('2.5.29.17', false, Buffer.from('3005820361', 'hex'));
    expect(readCertificate((await root.issue({ extensions: [broken] })).der).names).toEqual([]);
  });

  test('lasts beyond 2049', async () => {
    const long = readCertificate((await root.issue({ notAfter: new Date('2121-02-03T04:05:06Z') })).der);
    expect(new Date(long.validToEpochMs).toISOString()).toBe('2121-02-03T04:05:06.000Z');
  });
});

test.each([
  ['nothing', Buffer.of()],
  ['text', Buffer.from('-----BEGIN CERTIFICATE-----')],
  ['half of one', leaf.der.subarray(0, leaf.der.length / 2)],
  ['more than one', Buffer.concat([leaf.der, leaf.der])],
  ['another element', element(0x30, element(0x30, Buffer.of()))],
  ['an element without an end', Buffer.from([0x30, 0x80, 0, 0])],
])('%s is no certificate', (_, bytes) => {
  expect(() => readCertificate(bytes)).toThrow(CertificateError);
});
