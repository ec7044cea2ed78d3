import { expect, test } from 'vitest';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { ocspProblem, readOcspResponse } from '../../../src/identity/ocsp-response.ts';
import { element, selfSigned } from '../../certificates.ts';

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const sequence = (...parts: Uint8Array[]): Uint8Array => element(0x30, Buffer.concat(parts));
const time = (value: string): Uint8Array => element(0x18, text(value));
const octets = element(0x04, Buffer.alloc(20));

function single(serial: string, nextUpdate: string): Uint8Array {
  const algorithm = sequence(element(0x06, Buffer.from('2b0e03021a', 'hex')));
  const id = sequence(algorithm, octets, octets, element(0x02, Buffer.from(serial, 'hex')));
  const next = nextUpdate === '' ? [] : [element(0xa0, time(nextUpdate))];
  return sequence(id, element(0x80, Buffer.of()), time('20260101000000Z'), ...next);
}

/** RFC 6960, with a responder by key and no signature. */
function response(singles: readonly Uint8Array[], status = 0): Uint8Array {
  const data = sequence(element(0xa2, octets), time('20260101000000Z'), sequence(...singles));
  const type = element(0x06, Buffer.from('2b0601050507300101', 'hex'));
  const body = sequence(type, element(0x04, sequence(data)));
  return sequence(element(0x0a, Buffer.of(status)), element(0xa0, body));
}

test('a response says of which certificate it is and how long it holds', () => {
  expect(readOcspResponse(response([single('00ff01', '20260108000000Z')]))).toEqual({
    serial: 'ff01',
    thisUpdateEpochMs: Date.parse('2026-01-01T00:00:00Z'),
    nextUpdateEpochMs: Date.parse('2026-01-08T00:00:00Z'),
  });
  expect(readOcspResponse(response([single('01', '')]))).toMatchObject({ serial: '01', nextUpdateEpochMs: null });
});

test.each([
  ['nothing', Buffer.of(), 'OCSP Response is not a well-formed ASN.1 SEQUENCE'],
  ['two', Buffer.concat([response([]), response([])]), 'Data contained more than a single OCSP response'],
  ['one that tells of a failure', response([], 3), 'OCSP response was unsuccessful'],
  ['one without a body', sequence(element(0x0a, Buffer.of(0))), 'OCSP response has no body'],
  ['one about no certificate', response([]), 'OCSP Response must be for one certificate only'],
  ['one about two', response([single('01', ''), single('02', '')]), 'OCSP Response must be for one certificate only'],
  [
    'one that is cut off',
    response([single('01', '')]).subarray(0, 40),
    'OCSP response cannot be read: ends within an element',
  ],
])('%s is refused', (_, bytes, reason) => {
  expect(readOcspResponse(bytes)).toBe(reason);
});

test('it is of the certificate with its serial number', async () => {
  const certificate = readCertificate((await selfSigned({ serial: '0a01' })).der);
  expect(ocspProblem(response([single('0a01', '')]), certificate)).toBe('');
  expect(ocspProblem(response([single('0b', '')]), certificate)).toBe(
    'OCSP response does not match its TLS certificate',
  );
  expect(ocspProblem(Buffer.of(), certificate)).toMatch(/^OCSP Response is not/);
});
