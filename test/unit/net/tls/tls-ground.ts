import { once } from 'node:events';
import type { Socket } from 'node:net';
import * as nodeTls from 'node:tls';
import type { Connection } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import type { CertificateSecret, ValidationSecret } from '../../../../src/identity/secret-data.ts';
import { SecretStore } from '../../../../src/identity/secret-store.ts';
import type { DownstreamTlsData, UpstreamTlsData } from '../../../../src/identity/tls-context-data.ts';
import { InspectedPeer } from '../../../../src/listener/filters/inspected-peer.ts';
import { Loop } from '../../../../src/net/loop.ts';
import type { Network } from '../../../../src/net/network.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { buildDownstreamTls, buildUpstreamTls } from '../../../../src/net/tls/build.ts';
import type { TlsScope } from '../../../../src/net/tls/tls-stats.ts';
import type { TlsTools } from '../../../../src/net/tls/tls-tools.ts';
import { noTransportOptions, type TransportOptions, type UpstreamTransport } from '../../../../src/net/transport.ts';
import type { Issued } from '../../../certificates.ts';
import { dialOptions, Ground } from '../sockets.ts';

/** Counters by their whole name. */
export class CountingScope implements TlsScope {
  readonly counts: Map<string, number>;
  private readonly prefix: string;

  constructor(prefix = '', counts = new Map<string, number>()) {
    this.prefix = prefix;
    this.counts = counts;
  }

  counter(name: string): { inc(): void } {
    const whole = `${this.prefix}${name}`;
    this.counts.set(whole, this.counts.get(whole) ?? 0);
    return { inc: () => this.counts.set(whole, this.counts.get(whole)! + 1) };
  }

  gauge(): { set(value: number): void } {
    return { set() {} };
  }

  scope(prefix: string): TlsScope {
    return new CountingScope(`${this.prefix}${prefix}.`, this.counts);
  }

  /** Those above zero. */
  get seen(): Record<string, number> {
    return Object.fromEntries([...this.counts].filter(([, count]) => count > 0));
  }
}

const common = {
  minVersion: 'TLSv1_2',
  maxVersion: 'TLSv1_3',
  cipherSuites: [],
  curves: [],
  signatureAlgorithms: [],
  alpn: [],
  certificates: [],
  validation: null,
  keyLog: null,
} as const;

export const downstream: DownstreamTlsData = {
  ...common,
  requireClientCertificate: false,
  ticketKeys: null,
  statelessResumption: true,
  statefulResumption: true,
  sessionTimeoutSeconds: 0,
  ocspStaplePolicy: 'LENIENT_STAPLING',
  fullScanCertsOnSniMismatch: false,
  preferClientCiphers: false,
};

export const upstream: UpstreamTlsData = {
  ...common,
  sni: 'a.test',
  autoHostSni: false,
  autoSniSanValidation: false,
  allowRenegotiation: false,
  maxSessionKeys: 1,
  enforceRsaKeyUsage: true,
};

export function secretOf({ chainPem, keyPem }: Issued): CertificateSecret {
  return { kind: 'certificate', chainPem, keyPem, pkcs12: null, password: '', ocspStaple: null, origin: '<inline>' };
}

export const ref = <Secret>(inline: Secret): { key: string; inline: Secret } => ({ key: '<inline>', inline });

export const trusting = (trustedCaPem: string, more: Partial<ValidationSecret> = {}): ValidationSecret => ({
  kind: 'validation',
  trustedCaPem,
  trustedCaOrigin: '<inline>',
  crlPem: '',
  crlOrigin: '',
  sanMatchers: [],
  certificateHashes: [],
  spkiHashes: [],
  allowExpired: false,
  acceptUntrusted: false,
  onlyVerifyLeafCrl: false,
  maxVerifyDepth: null,
  requireSignedCertificateTimestamp: false,
  spiffeTrustDomains: null,
  ...more,
});

/** A thread with TLS: its network, its secrets, and Node's TLS at the other end. */
export class TlsGround {
  readonly scope: CountingScope;
  readonly secrets: SecretStore;
  readonly tools: TlsTools;
  readonly log: string[];
  private readonly ground: Ground;
  private readonly closers: (() => void)[];

  private constructor(ground: Ground, loop: Loop, network: Network) {
    this.ground = ground;
    this.closers = [];
    this.log = [];
    this.scope = new CountingScope();
    this.secrets = new SecretStore();
    this.tools = {
      network,
      turns: loop,
      secrets: this.secrets,
      scope: this.scope,
      ticketKeys: [Buffer.alloc(80, 7)],
      compileRegex: (pattern) => new RegExp(`^(?:${pattern})$`),
      countsUpdates: true,
      log: { debug: (message) => this.log.push(message), warn: (message) => this.log.push(message) },
    };
  }

  static async open(): Promise<TlsGround> {
    const loop = new Loop();
    const network = new NodeNetwork(loop);
    return new TlsGround(await Ground.open(undefined, network), loop, network);
  }

  /** What we make of a connection that Node's client opens, before the handshake. */
  accept(data: DownstreamTlsData, options: nodeTls.ConnectionOptions = {}): Promise<Accepted> {
    return this.server(data)(options);
  }

  /** A listener's transport, for one connection after another. */
  server(data: DownstreamTlsData): (options?: nodeTls.ConnectionOptions) => Promise<Accepted> {
    const transport = buildDownstreamTls(data, this.tools);
    return async (options = {}) => {
      const { client: socket, connection: raw } = await this.ground.accept();
      const connection = transport.accept(raw, 0);
      const usual = { socket, servername: 'a.test', rejectUnauthorized: false, allowHalfOpen: true };
      const client = nodeTls.connect({ ...usual, ...options } as nodeTls.ConnectionOptions);
      client.on('error', () => {});
      this.closers.push(() => client.destroy());
      return { connection, client };
    };
  }

  /** The same with a client whose ClientHello was looked at, and has not been read yet. */
  async acceptLookedAt(data: DownstreamTlsData, offered: readonly string[]): Promise<Connection> {
    const { connection } = await this.ground.accept();
    const peer = new InspectedPeer(connection.peer);
    peer.applicationProtocols = offered;
    connection.peer = peer;
    return buildDownstreamTls(data, this.tools).accept(connection, 0);
  }

  /** The same with a client that speaks no TLS. */
  async acceptPlain(data: DownstreamTlsData, timeoutMs = 0): Promise<{ connection: Connection; client: Socket }> {
    const { client, connection } = await this.ground.accept();
    return { connection: buildDownstreamTls(data, this.tools).accept(connection, timeoutMs), client };
  }

  /** A cluster's transport, for one connection after another to the same server of Node's. */
  async client(data: UpstreamTlsData, options: nodeTls.TlsOptions): Promise<{ dial(): Promise<Connection> }> {
    const port = (await this.listen(options)).port;
    const transport = buildUpstreamTls(data, this.tools);
    return {
      dial: async () => {
        const result = await this.dialOn(transport, port, noTransportOptions);
        if ('kind' in result) throw new Error(result.detail);
        return result;
      },
    };
  }

  /** A connection of ours to Node's server, or why there is none. */
  async dial(
    data: UpstreamTlsData,
    options: nodeTls.TlsOptions,
    wanted: TransportOptions = noTransportOptions,
  ): Promise<{ result: Connection | Failure; server: Promise<nodeTls.TLSSocket> }> {
    const { server, port } = await this.listen(options);
    return { result: await this.dialOn(buildUpstreamTls(data, this.tools), port, wanted), server };
  }

  private async listen(options: nodeTls.TlsOptions): Promise<{ server: Promise<nodeTls.TLSSocket>; port: number }> {
    const listener = nodeTls.createServer({ ...options, allowHalfOpen: true } as nodeTls.TlsOptions);
    listener.on('tlsClientError', () => {});
    listener.on('secureConnection', (socket) => socket.on('error', () => {}));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    this.closers.push(() => listener.close());
    const server = once(listener, 'secureConnection').then(([socket]) => socket as nodeTls.TLSSocket);
    return { server, port: (listener.address() as { port: number }).port };
  }

  private dialOn(transport: UpstreamTransport, port: number, wanted: TransportOptions): Promise<Connection | Failure> {
    return new Promise((resolve) => {
      const handler = { onConnected: resolve, onDialFailure: resolve };
      transport.dial({ kind: 'ip', host: '127.0.0.1', port }, dialOptions, wanted, handler);
    });
  }

  close(): void {
    for (const close of this.closers.splice(0)) close();
    this.ground.close();
  }
}

export interface Accepted {
  readonly connection: Connection;
  readonly client: nodeTls.TLSSocket;
}
