import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import { certificate } from './certificates.ts';

/** How a row's client speaks TLS. */
export interface TlsClient {
  /** What it presents, by its name in certificates.ts; absent: nothing. */
  readonly certificate?: string;
  /** SNI; null: none. `server.test` unless said. */
  readonly serverName?: string | null;
  /** None unless said; `h2` for rows `over: 'h2'` and of frames. */
  readonly alpn?: readonly string[];
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** OpenSSL's list, for TLS 1.2 and 1.3. */
  readonly ciphers?: string;
  readonly groups?: string;
  readonly signatureAlgorithms?: string;
  /** Bytes in front of the ClientHello. */
  readonly before?: string;
  /** A connection before this one asks for `/warm` and brings a session, which this one offers. */
  readonly resumes?: boolean;
  readonly asksForStaple?: boolean;
}

/** What the client knows of its handshake, or how that failed. */
export type HandshakeSeen = Readonly<Record<string, string>>;

/** How long the connection may take that brings a session. */
const warmUpMs = 1000;

export async function tlsOptions(client: TlsClient, alpn: readonly string[]): Promise<ConnectionOptions> {
  const presented = client.certificate === undefined ? null : await certificate(client.certificate);
  const { serverName = 'server.test', minVersion, maxVersion, ciphers, groups, signatureAlgorithms } = client;
  const protocols = client.alpn ?? alpn;
  return {
    rejectUnauthorized: false,
    ...(presented === null ? {} : { cert: presented.chainPem, key: presented.keyPem }),
    ...(serverName === null ? {} : { servername: serverName }),
    ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(groups === undefined ? {} : { ecdhCurve: groups }),
    ...(signatureAlgorithms === undefined ? {} : { sigalgs: signatureAlgorithms }),
    ...(client.asksForStaple === true ? { requestOCSP: true } : {}),
  };
}

/** The session that a connection of its own gets, by a request: some send tickets with their first answer. Undefined: none. */
export async function sessionFrom(raw: Socket, options: ConnectionOptions): Promise<Buffer | undefined> {
  const socket = connect({ ...options, socket: raw });
  const { promise, resolve } = Promise.withResolvers<void>();
  let last: Buffer | undefined;
  // Of several tickets the last, as clients keep them.
  socket.on('session', (session) => (last = session));
  socket.on('error', () => resolve());
  socket.resume();
  socket.write('GET /warm HTTP/1.1\r\nhost: warm.test\r\nconnection: close\r\n\r\n');
  socket.on('end', () => resolve());
  socket.on('close', () => resolve());
  await Promise.race([promise, sleep(warmUpMs, undefined, { ref: false })]);
  socket.destroy();
  return last;
}

/** What a client's or an origin's side says of a finished handshake. */
export function handshakeSeen(socket: TLSSocket): Record<string, string> {
  const seen: Record<string, string> = {
    version: socket.getProtocol() ?? '-',
    cipher: socket.getCipher().standardName,
    reused: String(socket.isSessionReused()),
    alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? '-' : socket.alpnProtocol,
    peer: namesOf(socket),
  };
  return seen;
}

/** Common names of what the other side presented, its own first. */
function namesOf(socket: TLSSocket): string {
  const names: string[] = [];
  const known = new Set<string>();
  let at = socket.getPeerX509Certificate();
  while (at !== undefined && !known.has(at.fingerprint256)) {
    known.add(at.fingerprint256);
    names.push(at.subject.replaceAll('\n', ','));
    at = at.issuerCertificate;
  }
  return names.join(' < ') || '-';
}
