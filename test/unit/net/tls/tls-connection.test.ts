import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../../../src/core/connection.ts';
import { Authority, type Issued } from '../../../certificates.ts';
import { connectionContract } from '../../../contract/connection.ts';
import { RecordingSink } from '../sockets.ts';
import { downstream, ref, secretOf, TlsGround, trusting, upstream } from './tls-ground.ts';

let authority: Authority;
let leaf: Issued;
beforeAll(async () => {
  authority = await Authority.root();
  leaf = await authority.issue({ dns: ['a.test'] });
});

connectionContract('accepted, with TLS', async () => {
  const ground = await TlsGround.open();
  const { connection, client } = await ground.accept({ ...downstream, certificates: [ref(secretOf(leaf))] });
  await once(client, 'secureConnect');
  // In TLS 1.3 the client is done before us.
  while (connection.peer.tls === null) await new Promise(setImmediate);
  return { connection, peer: client, close: () => ground.close() };
});

connectionContract('dialled, with TLS', async () => {
  const ground = await TlsGround.open();
  const { result, server } = await ground.dial(upstream, { cert: leaf.chainPem, key: leaf.keyPem });
  return { connection: result as Connection, peer: await server, close: () => ground.close() };
});

describe('a handshake', () => {
  const grounds: TlsGround[] = [];
  const open = async (): Promise<TlsGround> => {
    const ground = await TlsGround.open();
    grounds.push(ground);
    return ground;
  };
  afterEach(() => {
    for (const ground of grounds.splice(0)) ground.close();
  });

  it('tells of both ends', async () => {
    const ground = await open();
    const data = {
      ...downstream,
      alpn: ['h2', 'http/1.1'],
      certificates: [ref(secretOf(leaf))],
      validation: { base: trusting(authority.rootPem), secret: null },
      requireClientCertificate: true,
    };
    const mine = await authority.issue({ uris: ['spiffe://cluster.local/ns/a/sa/b'] });
    const { connection, client } = await ground.accept(data, {
      cert: mine.chainPem,
      key: mine.keyPem,
      ca: authority.rootPem,
      ALPNProtocols: ['http/1.1', 'h2'],
    });
    const sink = new RecordingSink();
    connection.attach(sink);
    await once(client, 'secureConnect');
    client.write('x');
    await sink.received(1);
    expect(connection.peer).toMatchObject({ alpn: 'h2', transportProtocol: 'tls' });
    expect(connection.peer.tls).toMatchObject({
      version: 'TLSv1.3',
      isPeerVerified: true,
      isResumed: false,
      group: 'X25519',
    });
    expect(connection.peer.tls!.peerChain[0].uris).toEqual(['spiffe://cluster.local/ns/a/sa/b']);
    expect(connection.peer.tls!.local!.dnsNames).toEqual(['a.test']);
    expect(client.alpnProtocol).toBe('h2');
    expect(ground.scope.seen).toMatchObject({ 'ssl.handshake': 1, 'ssl.versions.TLSv1.3': 1, 'ssl.curves.X25519': 1 });
  });

  it('agrees on a protocol as soon as it is known what the client offers', async () => {
    const ground = await open();
    const data = { ...downstream, alpn: ['istio-peer-exchange', 'h2'], certificates: [ref(secretOf(leaf))] };
    const agreed = async (offered: readonly string[]): Promise<string> =>
      (await ground.acceptLookedAt(data, offered)).peer.alpn;
    expect(await agreed(['h2', 'istio-peer-exchange'])).toBe('istio-peer-exchange');
    expect(await agreed(['h2'])).toBe('h2');
    expect(await agreed(['http/1.1'])).toBe('');
    expect(await agreed([])).toBe('');
  });
});
