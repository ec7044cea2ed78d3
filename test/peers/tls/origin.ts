import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer, TLSSocket, type SecureVersion, type Server } from 'node:tls';
import { certificate, certificateValues } from './certificates.ts';
import { handshakeSeen } from './client.ts';

/** An origin that speaks TLS. */
export interface TlsOrigin {
  /** By its name in certificates.ts. */
  readonly certificate: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly ciphers?: string;
  /** `h2`, `http/1.1` unless said. */
  readonly alpn?: readonly string[];
  /** `ask` (unless said) takes any certificate and none; `require` refuses what `ca` has not signed. */
  readonly clientCertificate?: 'ask' | 'require';
}

/** A TCP server's place in an origin: connections come out of it when their handshake is done. */
export async function tlsListener(origin: TlsOrigin, serve: (socket: Socket) => void): Promise<Server> {
  const { chainPem, keyPem } = await certificate(origin.certificate);
  const { ca_pem: ca } = await certificateValues('{{ca_pem}}');
  const server = createServer(
    {
      cert: chainPem,
      key: keyPem,
      ca: readFileSync(ca),
      requestCert: true,
      rejectUnauthorized: origin.clientCertificate === 'require',
      ALPNProtocols: [...(origin.alpn ?? ['h2', 'http/1.1'])],
      ...(origin.minVersion === undefined ? {} : { minVersion: origin.minVersion }),
      ...(origin.maxVersion === undefined ? {} : { maxVersion: origin.maxVersion }),
      ...(origin.ciphers === undefined ? {} : { ciphers: origin.ciphers }),
    },
    serve,
  );
  server.on('tlsClientError', () => {});
  return server;
}

/** What an origin knows of the handshake, for `Seen`; nothing of a plain connection. */
export function tlsSeen(socket: Socket): { readonly tls?: Readonly<Record<string, string>> } {
  if (!(socket instanceof TLSSocket)) return {};
  const { servername } = socket as TLSSocket & { servername?: string | false };
  return { tls: { ...handshakeSeen(socket), sni: typeof servername === 'string' ? servername : '-' } };
}
