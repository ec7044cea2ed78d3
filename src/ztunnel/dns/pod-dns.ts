import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { answerMessage, type NameSource } from '../../agent/dns/answering.ts';
import type { AnswerRecord } from '../../agent/dns/dns-message.ts';
import { framed, FramedReader } from '../../agent/dns/framed-message.ts';
import type { SocketPlace } from '../../net/network.ts';
import { openDatagramSocket, openListeningSocket } from '../../net/source-socket.ts';
import type { MeshNames } from './mesh-names.ts';

/** Who answers what is not the mesh's. */
export interface OtherNames {
  /** Null: nobody has answered. */
  ask(query: Uint8Array, isTcp: boolean): Promise<Uint8Array | null>;
}

const idleMs = 5000;
const connectionsMax = 1000;
/** Questions of one pod that are answered at a time. */
const pendingMax = 1000;

/** One pod's questions: at loopback addresses in its network namespace, where the CNI plugin's rules send them. */
export class PodDns implements NameSource {
  private readonly names: MeshNames;
  private readonly others: OtherNames;
  private readonly connections: Set<Socket>;
  private readonly udp: Set<UdpSocket>;
  private readonly tcp: Set<Server>;
  private pending: number;

  constructor(names: MeshNames, others: OtherNames) {
    this.names = names;
    this.others = others;
    this.connections = new Set();
    this.udp = new Set();
    this.tcp = new Set();
    this.pending = 0;
  }

  /** Beside the addresses that it listens at already. Rejects where the port is not to be had. */
  async listen(host: string, port: number, place: SocketPlace): Promise<void> {
    const address = { kind: 'ip', host, port } as const;
    const descriptor = openDatagramSocket(address, place);
    const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.udp.add(udp);
    udp.on('message', (bytes, from) => void this.onDatagram(udp, bytes, from));
    udp.bind({ fd: descriptor });
    udp.on('error', () => this.close());
    const tcp = createServer((socket) => this.accept(socket));
    tcp.maxConnections = connectionsMax;
    this.tcp.add(tcp);
    const options = { reusePort: false, backlog: 128, ipv6Only: false, pipeMode: null, bufferLimit: 0 };
    const fd = openListeningSocket(address, { ...options, keepAliveSeconds: null, place });
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject);
      tcp.listen({ fd }, resolve);
    });
  }

  close(): void {
    for (const socket of this.udp) socket.close();
    for (const server of this.tcp) server.close();
    this.udp.clear();
    this.tcp.clear();
    for (const connection of this.connections) connection.destroy();
  }

  /** Null: there is nothing to say to it. */
  answer(bytes: Uint8Array, isTcp: boolean): Promise<Uint8Array | null> {
    return answerMessage(bytes, isTcp, this);
  }

  get isKnowing(): boolean {
    return true;
  }

  lookup(name: string, type: number): readonly AnswerRecord[] | null {
    return this.names.lookup(name, type);
  }

  ask(query: Uint8Array, isTcp: boolean): Promise<Uint8Array | null> {
    return this.others.ask(query, isTcp);
  }

  private async onDatagram(socket: UdpSocket, bytes: Uint8Array, from: RemoteInfo): Promise<void> {
    if (this.pending >= pendingMax) return;
    this.pending++;
    const answer = await this.answer(bytes, false);
    this.pending--;
    // It may have been closed since; a client that has gone is no error of ours.
    if (answer !== null && this.udp.has(socket)) socket.send(answer, from.port, from.address, () => {});
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
    if (this.pending >= pendingMax) return;
    this.pending++;
    const answer = await this.answer(bytes, true);
    this.pending--;
    if (answer === null) socket.destroy();
    else if (!socket.destroyed) socket.write(framed(answer));
  }
}
