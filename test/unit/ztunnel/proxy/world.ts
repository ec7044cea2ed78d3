/** Proxies of workloads side by side on loopback addresses, each in a thread's place of its own, with real certificates. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { SecretStore } from '../../../../src/identity/secret-store.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { readRevocationLists, type RevokedCertificates } from '../../../../src/identity/revocation-list.ts';
import { certificateKey, type CertificateSource } from '../../../../src/ztunnel/certificates/certificate-source.ts';
import { ThreadCertificates } from '../../../../src/ztunnel/thread/thread-certificates.ts';
import type { AddressSource } from '../../../../src/ztunnel/proxy/address-source.ts';
import { ConnectionCount } from '../../../../src/ztunnel/proxy/connection-quota.ts';
import { Exclusions, noExclusions } from '../../../../src/ztunnel/proxy/exclusions.ts';
import type {
  ConnectionError,
  ConnectionFacts,
  ConnectionReport,
  Reporter,
} from '../../../../src/ztunnel/proxy/connection-facts.ts';
import { PodProxy, type PodAddresses } from '../../../../src/ztunnel/proxy/pod-proxy.ts';
import { defaultProxySettings, type ProxySettings } from '../../../../src/ztunnel/proxy/settings.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { Mesh, type WorkloadInfo } from '../../../../src/ztunnel/state/mesh.ts';
import { Authority, type Issued } from '../../../certificates.ts';

export interface Reported {
  readonly facts: ConnectionFacts;
  error: ConnectionError | null;
  sentBytes: number;
  receivedBytes: number;
  isOpen: boolean;
}

/** Keeps what is told, and lets tests wait for it. */
export class RecordingReporter implements Reporter {
  readonly reported: Reported[];
  private readonly waiting: (() => void)[];

  constructor() {
    this.reported = [];
    this.waiting = [];
  }

  open(facts: ConnectionFacts): ConnectionReport {
    const one: Reported = { facts, error: null, sentBytes: 0, receivedBytes: 0, isOpen: true };
    this.reported.push(one);
    return {
      close: (error, sentBytes, receivedBytes) => {
        if (!one.isOpen) throw new Error('a connection ends once');
        Object.assign(one, { error, sentBytes, receivedBytes, isOpen: false });
        this.tell();
      },
    };
  }

  refused(facts: ConnectionFacts, error: ConnectionError): void {
    this.reported.push({ facts, error, sentBytes: 0, receivedBytes: 0, isOpen: false });
    this.tell();
  }

  /** The first so many ended connections. */
  async ended(count: number): Promise<Reported[]> {
    for (;;) {
      const ended = this.reported.filter(({ isOpen }) => !isOpen);
      if (ended.length >= count) return ended;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private tell(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

export interface ProxyWish {
  readonly host: string;
  readonly info: WorkloadInfo;
  readonly settings?: Partial<ProxySettings>;
  readonly addresses?: AddressSource;
}

export class World {
  readonly mesh: Mesh;
  readonly authority: Authority;
  /** The newest certificate of each identity. */
  readonly issued: Map<string, Issued>;
  private readonly ends: (() => void)[];
  private readonly revocations: ((revoked: RevokedCertificates) => void)[];

  private constructor(authority: Authority) {
    this.mesh = new Mesh();
    this.authority = authority;
    this.issued = new Map();
    this.ends = [];
    this.revocations = [];
  }

  /** `neighbour`: another mesh with the same authority. */
  static async make(config: string, neighbour: World | null = null): Promise<World> {
    const world = new World(neighbour?.authority ?? (await Authority.root()));
    world.mesh.apply(readLocalConfig(config));
    return world;
  }

  /** Every proxy hears that this identity's certificate holds no more. */
  async revoke(identity: string): Promise<void> {
    const revoked = readRevocationLists(Buffer.from(await this.authority.revoke([this.issued.get(identity)!])));
    for (const revoke of this.revocations) revoke(revoked);
  }

  identity(uri: string): Promise<Issued> {
    return this.authority.issue({ uris: [uri] });
  }

  private async certify(identity: string, certificates: ThreadCertificates, then: () => void): Promise<void> {
    const issued = await this.identity(identity);
    this.issued.set(identity, issued);
    const { chainPem: chain, keyPem: key } = issued;
    const roots = this.authority.rootPem;
    certificates.set({ kind: 'certificate', identity, trustDomain: 'cluster.local', chain, key, roots });
    then();
  }

  async proxy({ host, info, settings = {}, addresses: source }: ProxyWish): Promise<Proxy> {
    const loop = new Loop();
    const secrets = new SecretStore();
    const given = new ThreadCertificates(secrets, () => {});
    const reporter = new RecordingReporter();
    const asked: string[] = [];
    const certificates: CertificateSource = {
      has: (identity) => secrets.get(certificateKey(identity)) !== null,
      request: (identity, ready) => {
        asked.push(identity);
        void this.certify(identity, given, () => {
          loop.enter();
          ready('');
          loop.leave();
        });
      },
    };
    const thread = {
      turns: loop,
      secrets,
      log: { debug() {}, warn() {} },
      mesh: this.mesh,
      settings: {
        ...defaultProxySettings,
        listenAddress: host,
        outboundPort: 0,
        plaintextPort: 0,
        socksPort: 0,
        ...settings,
      },
      certificates,
      addresses: source ?? null,
      reporter,
      connections: new ConnectionCount(ConnectionCount.memory(1), 0),
      exclusions: new Exclusions(settings.exclusions ?? noExclusions),
    };
    const own = new ConnectionCount(ConnectionCount.memory(1), 0);
    const proxy = new PodProxy(info, thread, new NodeNetwork(loop), own);
    const addresses = await proxy.listen();
    this.ends.push(() => proxy.close());
    this.revocations.push((revoked) => {
      given.revoke(revoked);
      proxy.cutOff(revoked);
    });
    return { proxy, addresses, reporter, asked, counted: own };
  }

  async server(host: string, port: number, onSocket: (socket: Socket) => void): Promise<Server> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      this.ends.push(() => socket.destroy());
      onSocket(socket);
    });
    server.listen(port, host);
    await once(server, 'listening');
    this.ends.push(() => server.close());
    return server;
  }

  close(): void {
    for (const end of this.ends.splice(0)) end();
  }
}

export interface Proxy {
  readonly proxy: PodProxy;
  readonly addresses: PodAddresses;
  readonly reporter: RecordingReporter;
  /** Identities whose certificates were asked for. */
  readonly asked: readonly string[];
  /** Connections that count. */
  readonly counted: ConnectionCount;
}

/** A client that asks a proxy's SOCKS port; with the proxy's answer to its request. */
export async function socks(proxy: Proxy, host: string, port: number): Promise<{ socket: Socket; reply: number }> {
  const socket = connect({ ...addressOf(proxy), allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const octets = host.split('.').map(Number);
  socket.write(Buffer.from([5, 1, 0, 5, 1, 0, 1, ...octets, port >> 8, port & 255]));
  const answer = await readExactly(socket, 12);
  return { socket, reply: answer[3] };
}

function addressOf({ addresses }: Proxy): { host: string; port: number } {
  const { host, port } = addresses.socks!;
  return { host, port };
}

/** So many bytes, and no more. */
export function readExactly(socket: Socket, size: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      socket.off('readable', look);
      socket.off('close', closed);
    };
    const look = (): void => {
      const chunk = socket.read(size) as Buffer | null;
      if (chunk === null) return;
      stop();
      resolve(chunk);
    };
    const closed = (): void => {
      stop();
      reject(new Error('closed before the bytes came'));
    };
    socket.on('readable', look);
    socket.on('close', closed);
    look();
  });
}

/** Everything up to the end. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** Waits for the end of a socket: the error that it ended with; empty: none. */
export function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let code = '';
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
    socket.on('close', () => resolve(code));
    socket.resume();
  });
}
