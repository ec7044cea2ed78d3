import { closeSync } from 'node:fs';
import type { Later } from '../../agent/identity/later.ts';
import { PacketSocket, type Packet, type PacketListener } from '../../net/packet-socket.ts';
import type { Log } from '../../observe/log/log.ts';
import { CniError, cniAck, cniHello, packetBytesMax, readCniRequest, type CniRequest } from './cni-messages.ts';
import type { NodePods } from './node-pods.ts';

const firstWaitMs = 100;
const waitMaxMs = 15_000;

/** The connection to the CNI plugin, which is opened again whenever it ends. What it has told goes on meanwhile. */
export class CniConnection implements PacketListener {
  private readonly path: string;
  private readonly pods: NodePods;
  private readonly later: Later;
  private readonly log: Log;
  private readonly onSnapshot: () => void;
  private socket: PacketSocket | null;
  private waitMs: number;
  private isStopped: boolean;

  /** `onSnapshot`: each time that all pods have been named. */
  constructor(path: string, pods: NodePods, later: Later, log: Log, onSnapshot: () => void) {
    this.path = path;
    this.pods = pods;
    this.later = later;
    this.log = log;
    this.onSnapshot = onSnapshot;
    this.socket = null;
    this.waitMs = firstWaitMs;
    this.isStopped = false;
  }

  start(): void {
    if (this.isStopped) return;
    try {
      this.socket = new PacketSocket(this.path, packetBytesMax, this);
      this.pods.begin();
      this.socket.send(cniHello());
    } catch (error) {
      this.socket?.close();
      this.again((error as Error).message);
    }
  }

  stop(): void {
    this.isStopped = true;
    this.socket?.close();
    this.socket = null;
  }

  // PacketListener

  onPacket({ bytes, descriptors }: Packet): void {
    let request: CniRequest;
    try {
      request = readCniRequest(bytes);
      const expected = request.kind === 'add' ? 1 : 0;
      if (descriptors.length !== expected)
        throw new CniError(`'${request.kind}' came with ${descriptors.length} descriptors, not ${expected}`);
    } catch (error) {
      for (const fd of descriptors) closeSync(fd);
      if (!(error instanceof CniError)) throw error;
      this.drop(error.message);
      return;
    }
    this.waitMs = firstWaitMs;
    this.act(request, descriptors[0]);
  }

  onEnded(reason: string): void {
    this.socket = null;
    this.again(reason);
  }

  private act(request: CniRequest, namespaceFd: number): void {
    const { socket } = this;
    const answer = (error: string): void => this.answer(socket, error);
    switch (request.kind) {
      case 'add':
        this.pods.add(request.uid, request.info, namespaceFd, answer);
        break;
      case 'keep':
        this.pods.keep(request.uid);
        answer('');
        break;
      case 'delete':
        this.pods.remove(request.uid);
        answer('');
        break;
      case 'snapshot-sent':
        this.pods.snapshotSent();
        this.onSnapshot();
        answer('');
    }
  }

  /** On the connection that asked, if it is still there. */
  private answer(socket: PacketSocket | null, error: string): void {
    if (socket === null || socket !== this.socket) return;
    try {
      socket.send(cniAck(error));
    } catch (failure) {
      this.drop((failure as Error).message);
    }
  }

  /** What breaks the protocol ends the connection, and nothing else. */
  private drop(reason: string): void {
    this.socket?.close();
    this.socket = null;
    this.again(reason);
  }

  private again(reason: string): void {
    if (this.isStopped) return;
    this.log.warn(`the connection to the CNI plugin ended: ${reason}; opened again in ${this.waitMs} ms`);
    this.later.after(this.waitMs, () => this.start());
    this.waitMs = Math.min(waitMaxMs, this.waitMs * 2);
  }
}
