import { once } from 'node:events';
import type { ConnectionOptions, TlsOptions, TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../../src/core/connection.ts';
import type { ValidationSecret } from '../../../../src/identity/secret-data.ts';
import type { DownstreamTlsData, UpstreamTlsData } from '../../../../src/identity/tls-context-data.ts';
import { noTransportOptions } from '../../../../src/net/transport.ts';
import { Authority, type Issued } from '../../../certificates.ts';
import { RecordingSink } from '../sockets.ts';
import { downstream, ref, secretOf, TlsGround, trusting, upstream } from './tls-ground.ts';

let authority: Authority;
let stranger: Authority;
let leaf: Issued;
let ground: TlsGround;
const grounds: TlsGround[] = [];

beforeAll(async () => {
  authority = await Authority.root();
  stranger = await Authority.root('CN=Stranger');
  leaf = await authority.issue({ dns: ['a.test'] });
});
afterEach(() => {
  for (const opened of grounds.splice(0)) opened.close();
});

async function open(): Promise<TlsGround> {
  ground = await TlsGround.open();
  grounds.push(ground);
  return ground;
}

const mutual = (more: Partial<ValidationSecret> = {}): DownstreamTlsData => ({
  ...downstream,
  certificates: [ref(secretOf(leaf))],
  validation: { base: trusting(authority.rootPem, more), secret: null },
  requireClientCertificate: true,
});

const withCertificate = ({ chainPem, keyPem }: Issued): ConnectionOptions => ({ cert: chainPem, key: keyPem });

/** Null: the server takes the client. Else what it says when it closes. */
async function outcome(data: DownstreamTlsData, options: ConnectionOptions): Promise<string | null> {
  await open();
  const { connection, client } = await ground.accept(data, options);
  const sink = new RecordingSink();
  connection.attach(sink);
  client.write('x');
  const failure = await Promise.race([sink.received(1).then(() => null), sink.closed]);
  return failure === null ? null : failure.detail;
}

describe('a client’s certificate', () => {
  it('is asked for and missed', async () => {
    expect(await outcome(mutual(), {})).toBe(
      'TLS_error:|268435648:SSL routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE:peer did not provide required client certificate:TLS_error_end',
    );
    expect(ground.scope.seen).toEqual({ 'ssl.fail_verify_no_cert': 1 });
  });

  it('is of an authority that is trusted', async () => {
    const client = await authority.issue({ uris: ['spiffe://a/b'] });
    expect(await outcome(mutual(), withCertificate(client))).toBeNull();
    expect(ground.scope.seen).not.toHaveProperty('ssl.no_certificate');
  });

  it('is of a stranger', async () => {
    expect(await outcome(mutual(), withCertificate(await stranger.issue()))).toMatch(
      /^TLS_error:\|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate verification error at depth 0: unable to get local issuer certificate:TLS_error_end$/,
    );
    expect(ground.scope.seen).toEqual({ 'ssl.fail_verify_error': 1 });
  });

  it('is of a stranger, who is let in', async () => {
    expect(await outcome(mutual({ acceptUntrusted: true }), withCertificate(await stranger.issue()))).toBeNull();
  });

  it('has expired', async () => {
    const old = await authority.issue({ notBefore: new Date(1e12), notAfter: new Date(1.1e12) });
    expect(await outcome(mutual(), withCertificate(old))).toContain('certificate has expired');
    expect(await outcome(mutual({ allowExpired: true }), withCertificate(old))).toBeNull();
  });

  it('was revoked', async () => {
    const gone = await authority.issue();
    const crlPem = await authority.revoke([gone]);
    expect(await outcome(mutual({ crlPem }), withCertificate(gone))).toContain('certificate revoked');
    expect(await outcome(mutual({ crlPem }), withCertificate(await authority.issue()))).toBeNull();
  });

  it('has another name than is asked for', async () => {
    const sanMatchers = [
      { type: 'URI', oid: '', match: { kind: 'prefix', value: 'spiffe://a/', ignoreCase: false } },
    ] as const;
    const good = await authority.issue({ uris: ['spiffe://a/ns/x'] });
    const bad = await authority.issue({ uris: ['spiffe://b/ns/x'] });
    expect(await outcome(mutual({ sanMatchers }), withCertificate(good))).toBeNull();
    expect(await outcome(mutual({ sanMatchers }), withCertificate(bad))).toContain('verify cert failed: SAN matcher');
    expect(ground.scope.seen).toEqual({ 'ssl.fail_verify_san': 1 });
  });

  it('leads to the roots of its own trust domain only', async () => {
    const spiffeTrustDomains = { 'one.test': authority.rootPem, 'two.test': stranger.rootPem };
    const data = mutual({ trustedCaPem: '', spiffeTrustDomains });
    const right = await authority.issue({ uris: ['spiffe://one.test/a'] });
    const wrong = await authority.issue({ uris: ['spiffe://two.test/a'] });
    expect(await outcome(data, withCertificate(right))).toBeNull();
    expect(await outcome(data, withCertificate(wrong))).toContain('CERTIFICATE_VERIFY_FAILED');
  });
});

describe('a handshake that fails', () => {
  it('because the client speaks something else', async () => {
    await open();
    const { connection, client } = await ground.acceptPlain({ ...downstream, certificates: [ref(secretOf(leaf))] });
    const sink = new RecordingSink();
    connection.attach(sink);
    client.write('GET / HTTP/1.1\r\n\r\n');
    expect((await sink.closed).detail).toBe(
      'TLS_error:|268435612:SSL routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end',
    );
  });

  it('because no version is spoken by both', async () => {
    const data: DownstreamTlsData = { ...downstream, minVersion: 'TLSv1_3', certificates: [ref(secretOf(leaf))] };
    expect(await outcome(data, { maxVersion: 'TLSv1.2' })).toContain(
      '268435696:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL',
    );
  });

  it('because the client trusts nobody here', async () => {
    const data: DownstreamTlsData = { ...downstream, maxVersion: 'TLSv1_2', certificates: [ref(secretOf(leaf))] };
    expect(await outcome(data, { rejectUnauthorized: true, ca: stranger.rootPem })).toMatch(/ALERT_UNKNOWN_CA|^$/);
  });

  it('because the client takes too long', async () => {
    await open();
    const { connection } = await ground.acceptPlain({ ...downstream, certificates: [ref(secretOf(leaf))] }, 5);
    const sink = new RecordingSink();
    connection.attach(sink);
    expect((await sink.closed).detail).toBe('transport socket timeout was reached');
  });
});

describe('which certificate is presented', () => {
  it('follows the name that is asked for, and the key that the client takes', async () => {
    const rsa = await authority.issue({ dns: ['b.test'], key: 'rsa' });
    const ecdsa = await authority.issue({ dns: ['b.test'], key: 'p256' });
    const wild = await authority.issue({ dns: ['*.c.test'] });
    const data = { ...downstream, certificates: [leaf, rsa, ecdsa, wild].map((issued) => ref(secretOf(issued))) };
    const presented = async (options: ConnectionOptions): Promise<string> => {
      await open();
      const { client } = await ground.accept(data, options);
      await once(client, 'secureConnect');
      return client.getPeerX509Certificate()!.serialNumber.toLowerCase();
    };
    const rsaOnly = { sigalgs: 'rsa_pss_rsae_sha256' };
    expect(await presented({ servername: 'b.test' })).toBe(ecdsa.serial.toLowerCase());
    expect(await presented({ servername: 'b.test', ...rsaOnly })).toBe(rsa.serial.toLowerCase());
    expect(await presented({ servername: 'x.c.test' })).toBe(wild.serial.toLowerCase());
    expect(await presented({ servername: 'x.y.c.test' })).toBe(leaf.serial.toLowerCase());
  });
});

describe('cipher suites of TLS 1.3', () => {
  it('are taken in the order of the client', async () => {
    for (const best of ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']) {
      await open();
      const ciphers = `${best}:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256`;
      const { client } = await ground.accept({ ...downstream, certificates: [ref(secretOf(leaf))] }, { ciphers });
      await once(client, 'secureConnect');
      expect(client.getCipher().standardName).toBe(best);
    }
  });
});

describe('sessions', () => {
  async function again(client: TLSSocket, data: DownstreamTlsData): Promise<boolean> {
    const [session] = (await once(client, 'session')) as [Buffer];
    const next = await ground.accept(data, { session });
    next.connection.attach(new RecordingSink());
    await once(next.client, 'secureConnect');
    return next.client.isSessionReused();
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`are resumed, by tickets that every worker can read: ${maxVersion}`, async () => {
      await open();
      const data: DownstreamTlsData = {
        ...downstream,
        maxVersion: maxVersion === 'TLSv1.2' ? 'TLSv1_2' : 'TLSv1_3',
        certificates: [ref(secretOf(leaf))],
      };
      const { connection, client } = await ground.accept(data);
      const sink = new RecordingSink();
      connection.attach(sink);
      expect(await again(client, data)).toBe(true);
    });
  }

  it('that are resumed know the certificate of their client, not its chain', async () => {
    await open();
    const between = await authority.intermediate();
    const { chainPem: cert, keyPem: key } = await between.issue();
    const listener = ground.server(mutual());
    const first = await listener({ cert, key });
    const sink = new RecordingSink();
    first.connection.attach(sink);
    const [session] = (await once(first.client, 'session')) as [Buffer];
    const next = await listener({ cert, key, session });
    const heard = new RecordingSink();
    next.connection.attach(heard);
    next.client.write('x');
    await heard.received(1);
    expect(first.connection.peer.tls!.peerChain).toHaveLength(2);
    expect(next.connection.peer.tls).toMatchObject({ isResumed: true, isPeerVerified: false });
    expect(next.connection.peer.tls!.peerChain).toHaveLength(1);
  });

  it('are resumed by us, each once', async () => {
    await open();
    const options: TlsOptions = { cert: leaf.chainPem, key: leaf.keyPem, maxVersion: 'TLSv1.2' };
    const transport = await ground.client(upstream, options);
    const first = await transport.dial();
    first.attach(new RecordingSink());
    const second = await transport.dial();
    expect(first.peer.tls!.isResumed).toBe(false);
    expect(second.peer.tls!.isResumed).toBe(true);
    expect(ground.scope.seen['ssl.session_reused']).toBe(1);
  });
});

describe('a server’s certificate', () => {
  const dial = async (
    data: Partial<UpstreamTlsData>,
    options: TlsOptions,
    names: string[] = [],
  ): Promise<string | Connection> => {
    await open();
    const wanted = { ...noTransportOptions, subjectAltNames: names };
    const { result } = await ground.dial({ ...upstream, ...data }, options, wanted);
    return 'kind' in result ? result.detail : result;
  };
  const mine = (): TlsOptions => ({ cert: leaf.chainPem, key: leaf.keyPem });
  const validated = (): Partial<UpstreamTlsData> => ({
    validation: { base: trusting(authority.rootPem), secret: null },
  });

  it('is checked where a trust bundle says so', async () => {
    const connection = (await dial(validated(), mine())) as Connection;
    expect(connection.peer.tls).toMatchObject({ isPeerVerified: true });
    const unchecked = (await dial({}, mine())) as Connection;
    expect(unchecked.peer.tls).toMatchObject({ isPeerVerified: false });
    const strange = { validation: { base: trusting(stranger.rootPem), secret: null } };
    expect(await dial(strange, mine())).toContain('CERTIFICATE_VERIFY_FAILED');
  });

  it('must have the name that the request wants', async () => {
    expect(await dial(validated(), mine(), ['a.test'])).toHaveProperty('peer');
    expect(await dial(validated(), mine(), ['b.test'])).toContain('verify cert failed');
    expect(await dial({ ...validated(), autoSniSanValidation: true, sni: 'b.test' }, mine())).toContain(
      'verify cert failed',
    );
  });
});

describe('secrets', () => {
  it('that change are presented from then on, and open connections go on', async () => {
    await open();
    const next = await authority.issue({ dns: ['a.test'] });
    ground.secrets.set('own', secretOf(leaf));
    const listener = ground.server({ ...downstream, certificates: [{ key: 'own', inline: null }] });
    const before = await listener();
    const sink = new RecordingSink();
    before.connection.attach(sink);
    await once(before.client, 'secureConnect');
    ground.secrets.set('own', secretOf(next));
    const after = await listener();
    after.connection.attach(new RecordingSink());
    await once(after.client, 'secureConnect');
    expect(after.client.getPeerX509Certificate()!.serialNumber.toLowerCase()).toBe(next.serial.toLowerCase());
    before.client.write('still here');
    await sink.received(10);
    expect(ground.scope.seen['server_ssl_socket_factory.ssl_context_update_by_sds']).toBe(1);
  });

  it('may change while an upstream is being dialled', async () => {
    await open();
    ground.secrets.set('ca', trusting(authority.rootPem));
    const data = { ...upstream, validation: { base: null, secret: { key: 'ca', inline: null } } };
    const transport = await ground.client(data, { cert: leaf.chainPem, key: leaf.keyPem });
    const dialled = transport.dial();
    for (let i = 0; i < 50; i++) ground.secrets.set('ca', trusting(authority.rootPem));
    expect((await dialled).peer.tls).toMatchObject({ isPeerVerified: true });
  });

  it('that have not come close connections, and say so', async () => {
    await open();
    const { connection } = await ground.acceptPlain({ ...downstream, certificates: [{ key: 'own', inline: null }] });
    const sink = new RecordingSink();
    connection.attach(sink);
    expect((await sink.closed).detail).toBe('TLS_error: Secret is not supplied by SDS');
    expect(ground.scope.seen).toEqual({ 'server_ssl_socket_factory.downstream_context_secrets_not_ready': 1 });
  });

  it('that are of no use are said, and the old ones stay', async () => {
    await open();
    ground.secrets.set('own', secretOf(leaf));
    const listener = ground.server({ ...downstream, certificates: [{ key: 'own', inline: null }] });
    ground.secrets.set('own', { ...secretOf(leaf), keyPem: 'none', origin: 'tls.key' });
    const { client } = await listener();
    await once(client, 'secureConnect');
    expect(ground.log.join()).toMatch(/stays as it was.*private key from tls.key/);
  });

  it('that do not fit together are refused by where they came from', async () => {
    await open();
    const wrong = { ...secretOf(leaf), keyPem: (await authority.issue()).keyPem, origin: 'tls.key' };
    expect(() => ground.server({ ...downstream, certificates: [ref(wrong)] })).toThrow(/private key from tls.key/);
  });
});
