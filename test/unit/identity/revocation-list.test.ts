import { expect, test } from 'vitest';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { readRevocationLists, RevocationListError, revokedAmong } from '../../../src/identity/revocation-list.ts';
import { pemBlocks } from '../../../src/identity/pem.ts';
import { Authority } from '../../certificates.ts';

const root = await Authority.root('CN=Root,O=Tests');
const intermediate = await root.intermediate('CN=Under,O=Tests');
const leaf = await intermediate.issue({ serial: '00f0e1' });
const other = await intermediate.issue();
const chain = [leaf, intermediate.certificate].map(({ der }) => readCertificate(der));

test('a leaf and its authority are revoked by lists of their own', async () => {
  const ofLeaf = readRevocationLists(Buffer.from(await intermediate.revoke([leaf])));
  expect(revokedAmong(chain, ofLeaf)).toBe(chain[0]);
  const ofBoth = readRevocationLists(
    Buffer.from((await intermediate.revoke([other])) + (await root.revoke([intermediate.certificate]))),
  );
  expect(revokedAmong(chain, ofBoth)).toBe(chain[1]);
});

test('nobody is revoked by others’ lists, by empty ones, and by one that is old', async () => {
  const lists = (await root.revoke([leaf])) + (await intermediate.revoke([]));
  expect(revokedAmong(chain, readRevocationLists(Buffer.from(lists)))).toBeNull();
  const old = await intermediate.revoke([leaf], new Date(Date.now() - 1000));
  expect(revokedAmong(chain, readRevocationLists(Buffer.from(old)))).toBe(chain[0]);
});

test('DER is read as PEM is', async () => {
  const [{ bytes }] = pemBlocks(await intermediate.revoke([leaf]));
  expect(revokedAmong(chain, readRevocationLists(bytes))).toBe(chain[0]);
});

test.each([
  ['a certificate', leaf.pem],
  ['text', 'nothing'],
  ['nothing', ''],
  ['half a list', '-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n'],
])('%s is refused', (_, text) => {
  expect(() => readRevocationLists(Buffer.from(text))).toThrow(RevocationListError);
});
