import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, isIPv4, isIPv6, type Server, type Socket } from 'node:net';
import type { Log } from '../../observe/log/log.ts';
import { AgentError } from '../agent-error.ts';
import { answerMessage, type NameSource } from './answering.ts';
import type { AnswerRecord } from './dns-message.ts';
import { FramedReader, framed } from './framed-message.ts';
import { LookupTable, type LookupScope } from './lookup-table.ts';
import { decodeNameTable } from './name-table.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { UpstreamResolver } from './upstream-resolver.ts';

const resolvConfPath = '/etc/resolv.conf';
/** What the pod's resolver was before it was pointed here. */
const ownResolvConfPath = '/var/lib/istio/resolv.conf';
const connectionsMax = 1000;
const idleMs = 8000;

export interface DnsProxyOptions {
  /** DNS_PROXY_ADDR: `localhost:15053`. */
  readonly address: string;
  readonly namespace: string;
  /** Of the node: `default.svc.cluster.local`. */
  readonly domain: string;
  /** All servers are asked at once. */
  readonly isParallel: boolean;
  readonly timeoutMs: number;
  readonly log: Log;
}

/** Answers for names of the mesh, and hands on every other question. */
export class DnsProxy implements NameSource {
  private readonly upstream: UpstreamResolver;
  private readonly scope: LookupScope;
  /** Questions that come before the table are handed on, rather than failed. */
  private readonly answersEarly: boolean;
  private readonly log: Log;
  private readonly sockets: UdpSocket[];
  private readonly servers: Server[];
  private readonly connections: Set<Socket>;
  private table: LookupTable | null;

  constructor(upstream: UpstreamResolver, scope: LookupScope, answersEarly: boolean, log: Log) {
    this.upstream = upstream;
    this.scope = scope;
    this.answersEarly = answersEarly;
    this.log = log;
    this.sockets = [];
    this.servers = [];
    this.connections = new Set();
    this.table = null;
  }

  /** @throws AgentError or Error where it cannot listen */
  static async open(options: DnsProxyOptions): Promise<DnsProxy> {
    const { domain, isParallel, log, namespace, timeoutMs } = options;
    const isRoot = process.getuid?.() === 0;
    const isPort53 = options.address.endsWith(':53');
    if (isPort53 && !isRoot) log.error('DNS_PROXY_ADDR is port 53, which needs root: localhost:15053 is used');
    const address = isPort53 && !isRoot ? 'localhost:15053' : options.address;
    const answersEarly = isPort53 && isRoot;
    const path = answersEarly && existsSync(ownResolvConfPath) ? ownResolvConfPath : resolvConfPath;
    const { servers, search } = parseResolvConf(readFileSync(path, 'utf8'));
    const found = /^(.*):(\d+)$/.exec(address);
    if (found === null) throw new AgentError(`DNS_PROXY_ADDR is '${address}', which is no host:port`);
    const host = found[1].replace(/^\[(.*)\]$/, '$1');
    const upstream = new UpstreamResolver(servers, isParallel, timeoutMs, Math.random);
    const scope = { namespace, domain: withoutNamespace(domain, namespace), searchDomain: search[0] ?? '' };
    const proxy = new DnsProxy(upstream, scope, answersEarly, log);
    for (const each of listenAddresses(host, servers)) await proxy.listen(each, Number(found[2]));
    return proxy;
  }

  /** A table has come. */
  get isReady(): boolean {
    return this.table !== null;
  }

  /** @param bytes `istio.networking.nds.v1.NameTable`. @throws Error: it is no such message */
  update(bytes: Uint8Array): void {
    this.table = new LookupTable(decodeNameTable(bytes), this.scope);
    this.log.debug(`names of the mesh: ${this.table.size}`);
  }

  /** Names that are answered here; null: there are none yet. */
  namesJson(): string | null {
    return this.table === null ? null : JSON.stringify(this.table.toJson());
  }

  /** @returns the port */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer((socket) => this.accept(socket));
    server.maxConnections = connectionsMax;
    this.servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const bound = (server.address() as { port: number }).port;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    this.sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(bound, host, resolve);
    });
    socket.on('error', (error) => this.log.warn(`DNS over UDP: ${error.message}`));
    socket.on('message', (bytes, from) => void this.onDatagram(socket, bytes, from));
    return bound;
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
    for (const server of this.servers) server.close();
    for (const connection of this.connections) connection.destroy();
  }

  /** Null: there is nothing to say to it. */
  answer(bytes: Uint8Array, isTcp: boolean): Promise<Uint8Array | null> {
    return answerMessage(bytes, isTcp, this);
  }

  get isKnowing(): boolean {
    return this.table !== null || this.answersEarly;
  }

  lookup(name: string, type: number): readonly AnswerRecord[] | null {
    return this.table?.lookup(name, type) ?? null;
  }

  ask(query: Uint8Array, isTcp: boolean): Promise<Uint8Array | null> {
    return this.upstream.ask(query, isTcp);
  }

  private async onDatagram(socket: UdpSocket, bytes: Uint8Array, from: RemoteInfo): Promise<void> {
    const answer = await this.answer(bytes, false);
    // It may have been closed since.
    if (answer !== null && this.sockets.includes(socket))
      socket.send(answer, from.port, from.address, (error) => {
        if (error !== null && error !== undefined) this.log.debug(`DNS over UDP: ${error.message}`);
      });
  }

  private accept(socket: Socket): void {
    this.connections.add(socket);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.connections.delete(socket));
    const reader = new FramedReader((message) => void this.onMessage(socket, Uint8Array.from(message)));
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
  }

  private async onMessage(socket: Socket, bytes: Uint8Array): Promise<void> {
    const answer = await this.answer(bytes, true);
    if (answer === null) socket.destroy();
    else if (!socket.destroyed) socket.write(framed(answer));
  }
}

function withoutNamespace(domain: string, namespace: string): string {
  return domain.startsWith(`${namespace}.`) ? domain.slice(namespace.length + 1) : domain;
}

/** `localhost` is whatever of it the pod's servers are reached by: rules redirect by family. */
function listenAddresses(host: string, servers: readonly string[]): string[] {
  if (host !== 'localhost') return [host];
  const addresses = [
    ...(servers.some((server) => isIPv4(server)) ? ['127.0.0.1'] : []),
    ...(servers.some((server) => isIPv6(server)) ? ['::1'] : []),
  ];
  return addresses.length === 0 ? ['127.0.0.1'] : addresses;
}
