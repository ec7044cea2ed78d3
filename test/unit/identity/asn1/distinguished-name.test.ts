import { expect, test } from 'vitest';
import { readCertificate } from '../../../../src/identity/certificate.ts';
import { selfSigned, type JsonNameParams } from '../../../certificates.ts';

/** What Envoy 1.39.3 prints as %DOWNSTREAM_PEER_SUBJECT% of the same certificates. */
test.each<[JsonNameParams, string]>([
  [
    [{ '2.5.4.3': [{ utf8String: 'a, b+"c"\\<x>;=' }], '2.5.4.10': [{ printableString: 'o' }] }],
    'O=o+CN=a\\, b\\+\\"c\\"\\\\\\<x\\>\\;=',
  ],
  [[{ '2.5.4.11': [{ utf8String: ' zé ' }] }], 'OU=\\ z\\C3\\A9\\ '],
  [[{ '2.5.4.4': [{ bmpString: 'sü€' }] }], 'SN=s\\C3\\BC\\E2\\82\\AC'],
  [[{ '2.5.4.5': [{ utf8String: '#5' }] }], 'serialNumber=\\#5'],
  [[{ '1.2.3.4': [{ utf8String: 'foo' }] }], '1.2.3.4=#0C03666F6F'],
  [[{ '2.5.4.97': [{ utf8String: 'orgid' }] }], '2.5.4.97=#0C056F72676964'],
  [[{ '2.5.4.3': [{ utf8String: 'a' }] }, { '2.5.4.10': [{ utf8String: 'b' }] }], 'O=b,CN=a'],
  [
    [{ '1.2.840.113549.1.9.1': [{ ia5String: 'a@b' }] }, { '0.9.2342.19200300.100.1.25': [{ ia5String: 'dc' }] }],
    'DC=dc,emailAddress=a@b',
  ],
  [
    [
      '2.5.4.9',
      '2.5.4.42',
      '2.5.4.65',
      '0.9.2342.19200300.100.1.1',
      '2.5.4.15',
      '2.5.4.17',
      '2.5.4.12',
      '2.5.4.72',
    ].map((oid) => ({ [oid]: [{ utf8String: 'x' }] })),
    'role=x,title=x,postalCode=x,businessCategory=x,UID=x,pseudonym=x,GN=x,street=x',
  ],
])('%j', async (subject, printed) => {
  expect(readCertificate((await selfSigned({ subject })).der).subject).toBe(printed);
});

test('has no text where there are no attributes', async () => {
  expect(readCertificate((await selfSigned({ subject: [] })).der).subject).toBe('');
});
