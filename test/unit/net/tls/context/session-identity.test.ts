import { expect, test } from 'vitest';
import { sessionIdentity, type SessionParts } from '../../../../../src/net/tls/context/session-identity.ts';
import { Authority, type CertificateWish } from '../../../../certificates.ts';
import { downstream, ref, secretOf } from '../tls-ground.ts';

const authority = await Authority.root();
const wish: CertificateWish = { subject: 'CN=server', dns: ['server.test'] };
const one = secretOf(await authority.issue(wish));
const parts: SessionParts = { data: downstream, certificates: [one], validation: null };
const of = (change: Partial<SessionParts>): string => sessionIdentity({ ...parts, ...change }).toString('hex');

test('a renewed certificate and other ticket keys are the same to a session', async () => {
  expect(of({ certificates: [secretOf(await authority.issue(wish))] })).toBe(of({}));
  const ticketKeys = ref({ kind: 'ticket-keys', keys: [new Uint8Array(80)] } as const);
  expect(of({ data: { ...downstream, ticketKeys } })).toBe(of({}));
});

test('other names and other demands are not', async () => {
  expect(of({ certificates: [secretOf(await authority.issue({ ...wish, dns: ['two.test'] }))] })).not.toBe(of({}));
  expect(of({ data: { ...downstream, requireClientCertificate: true } })).not.toBe(of({}));
});
