// oxlint-disable-next-line import/no-unassigned-import -- what the library below is made with wants it first
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { GrpcChannel } from '../../../../src/agent/grpc/grpc-channel.ts';
import type { Later } from '../../../../src/agent/identity/later.ts';
import { issuedCertificatePem } from '../../../../src/identity/certificate-request.ts';
import type { CertificateAuthority, Certified } from '../../../../src/ztunnel/certificates/authority.ts';
import { CertificateCache } from '../../../../src/ztunnel/certificates/certificate-cache.ts';
import { FakeAuthority } from '../../../../src/ztunnel/certificates/fake-authority.ts';
import { IstiodAuthority } from '../../../../src/ztunnel/certificates/istiod-authority.ts';
import { Istiod } from '../discovery/istiod.ts';

const billing = 'spiffe://cluster.local/ns/shop/sa/billing';
const ledger = 'spiffe://cluster.local/ns/shop/sa/ledger';

test('two fake authorities trust each other', async () => {
  const [a, b] = await Promise.all([
    new FakeAuthority(3_600_000).certify(billing),
    new FakeAuthority(3_600_000).certify(ledger),
  ]);
  const root = new X509Certificate(a.roots);
  const leaf = new X509Certificate(b.chain);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.subjectAltName).toBe(`URI:${ledger}`);
});

/** Time that stands still until it is told. */
class Clockwork implements Later {
  private at = 0;
  private readonly timers: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.at;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.at + delayMs, run };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer), this.timers.includes(timer) ? 1 : 0);
  }

  pass(ms: number): void {
    this.at += ms;
    const due = this.timers.filter(({ at }) => at <= this.at);
    for (const timer of due) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.run();
    }
  }
}

describe('the cache', () => {
  interface Asked {
    readonly identity: string;
    readonly answer: (certified: Certified) => void;
    readonly fail: (error: Error) => void;
  }

  function cache() {
    const asked: Asked[] = [];
    const authority: CertificateAuthority = {
      certify: (identity) => new Promise((answer, fail) => asked.push({ identity, answer, fail })),
      close() {},
    };
    const told: string[] = [];
    const time = new Clockwork();
    const listener = {
      onCertificate: (identity: string, { chain }: Certified) => void told.push(`${identity} ${chain}`),
      onNoCertificate: (identity: string, problem: string) => void told.push(`${identity} not: ${problem}`),
    };
    return { asked, told, time, cache: new CertificateCache(authority, listener, time, () => 0.5) };
  }

  const certified = (chain: string, from: number, to: number): Certified => ({
    chain,
    key: '',
    roots: '',
    validFromMs: from,
    validToMs: to,
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  test('asks once for what many want, and renews it in the middle of its life', async () => {
    const { asked, told, time, cache: certificates } = cache();
    certificates.want('a');
    certificates.want('a');
    expect(asked.map(({ identity }) => identity)).toEqual(['a']);
    asked[0].answer(certified('one', 0, 1000));
    await settled();
    expect(told).toEqual(['a one']);
    time.pass(499);
    expect(asked).toHaveLength(1);
    time.pass(1);
    expect(asked).toHaveLength(2);
    asked[1].fail(new Error('not now'));
    await settled();
    // What is there is still good.
    certificates.want('a');
    expect(told).toEqual(['a one', 'a one']);
    time.pass(500);
    asked[2].answer(certified('two', 500, 1500));
    await settled();
    expect(told.at(-1)).toBe('a two');
  });

  test('one that is past its middle when it comes is renewed after waits that grow', async () => {
    const { asked, time, cache: certificates } = cache();
    time.pass(800);
    certificates.want('a');
    asked[0].answer(certified('one', 0, 1000));
    await settled();
    time.pass(499);
    expect(asked).toHaveLength(1);
    time.pass(1);
    asked[1].answer(certified('two', 0, 2000));
    await settled();
    time.pass(999);
    expect(asked).toHaveLength(2);
    time.pass(1);
    expect(asked).toHaveLength(3);
  });

  test('whom a connection waits for comes before those that nobody waits for', async () => {
    const { asked, cache: certificates } = cache();
    for (let i = 0; i < 8; i++) certificates.warm(`first-${i}`);
    certificates.warm('later');
    certificates.want('now');
    expect(asked).toHaveLength(8);
    asked[0].answer(certified('x', 0, 1000));
    await settled();
    expect(asked.at(-1)!.identity).toBe('now');
    asked[1].answer(certified('x', 0, 1000));
    await settled();
    expect(asked.at(-1)!.identity).toBe('later');
  });

  test('failures are told, and asked again after waits that grow', async () => {
    const { asked, told, time, cache: certificates } = cache();
    certificates.want('a');
    asked[0].fail(new Error('no'));
    await settled();
    expect(told).toEqual(['a not: no']);
    certificates.want('a');
    expect(told).toEqual(['a not: no', 'a not: no']);
    expect(asked).toHaveLength(1);
    time.pass(500);
    expect(asked).toHaveLength(2);
    asked[1].fail(new Error('no'));
    await settled();
    time.pass(999);
    expect(asked).toHaveLength(2);
    time.pass(1);
    expect(asked).toHaveLength(3);
  });

  test('what is forgotten is asked for anew', async () => {
    const { asked, told, cache: certificates } = cache();
    certificates.want('a');
    certificates.forget('a');
    asked[0].answer(certified('late', 0, 1000));
    await settled();
    expect(told).toEqual([]);
    certificates.want('a');
    expect(asked).toHaveLength(2);
  });
});

describe("istiod's authority", () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  interface Seen {
    csr: string;
    metadata: Readonly<Record<string, unknown>>;
    impersonated: boolean;
  }

  async function authority(uri: string, seen: Seen[]): Promise<IstiodAuthority> {
    const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const times = { validFromMs: Date.now() - 1000, validToMs: Date.now() + 3_600_000, serial: Uint8Array.of(7) };
    const rootPem = issuedCertificatePem(
      { ...times, issuer: 'r', subject: 'r', uri: '', publicKey: root.publicKey },
      root.privateKey,
    );
    const istiod = await Istiod.start({
      onCertificate: (request, metadata) => {
        const reader = new BinaryReader(request);
        let csr = '';
        while (reader.pos < reader.len) {
          const [field, wire] = reader.tag();
          if (field === 1) csr = reader.string();
          else reader.skip(wire, field);
        }
        seen.push({ csr, metadata, impersonated: request.includes(`ImpersonatedIdentity`) });
        const spki = new x509.Pkcs10CertificateRequest(csr).publicKey.rawData;
        const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
        const leaf = issuedCertificatePem({ ...times, issuer: 'r', subject: '', uri, publicKey }, root.privateKey);
        const answer = new BinaryWriter();
        for (const part of [leaf, rootPem]) answer.tag(1, WireType.LengthDelimited).string(part);
        return Buffer.from(answer.finish());
      },
    });
    const made = new IstiodAuthority({
      channel: new GrpcChannel({ host: '127.0.0.1', port: istiod.port, tls: null }),
      metadata: () => ({ authorization: 'Bearer t', clusterid: 'Kubernetes' }),
      lifetimeMs: 86_400_000,
      impersonates: true,
    });
    ends.push(
      () => made.close(),
      () => istiod.close(),
    );
    return made;
  }

  test("certifies another's identity by the node's token", async () => {
    const seen: Seen[] = [];
    const certified = await (await authority(billing, seen)).certify(billing);
    expect(new X509Certificate(certified.chain).subjectAltName).toBe(`URI:${billing}`);
    expect(new X509Certificate(certified.chain).verify(new X509Certificate(certified.roots).publicKey)).toBe(true);
    expect(seen[0].metadata).toMatchObject({ authorization: 'Bearer t', clusterid: 'Kubernetes' });
    expect(seen[0].impersonated).toBe(true);
  });

  test('an answer for somebody else is refused', async () => {
    await expect((await authority(ledger, [])).certify(billing)).rejects.toThrow(`a certificate of ${ledger}`);
  });
});
