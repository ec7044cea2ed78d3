import type { Connection } from '../../core/connection.ts';
import { ClosedLocally } from '../../core/failures.ts';
import type { Address } from '../../core/peer.ts';
import { revokedAmong, type RevokedCertificates } from '../../identity/revocation-list.ts';
import type { AcceptHandler, ListeningSocket, ListenOptions, Network } from '../../net/network.ts';
import type { WorkloadInfo } from '../state/mesh.ts';
import type { ConnectionCount } from './connection-quota.ts';
import { Connections } from './connections.ts';
import { Inbound } from './inbound.ts';
import { Outbound } from './outbound.ts';
import { Plaintext } from './plaintext.ts';
import { Pod, type ProxyThread } from './pod.ts';
import { SocksProxy } from '../socks/socks-proxy.ts';
import { bufferLimit, carrierBufferLimit, userTimeout } from './settings.ts';

/** Connections that wait to be accepted. ztunnel's. */
const backlog = 128;

const certificateRevoked = ClosedLocally.with('certificate revoked');

/** What listens for one workload. */
export interface PodAddresses {
  readonly outbound: Address;
  readonly inbound: Address;
  readonly plaintext: Address;
  /** Null: off. */
  readonly socks: Address | null;
}

/** Everything that is done for one workload: its listeners and what came through them. */
export class PodProxy {
  readonly pod: Pod;
  readonly connections: Connections;
  private readonly inbound: Inbound;
  private readonly outbound: Outbound;
  private readonly plaintext: Plaintext;
  private readonly sockets: ListeningSocket[];
  private isClosed: boolean;

  constructor(info: WorkloadInfo, thread: ProxyThread, network: Network, connections: ConnectionCount) {
    this.pod = new Pod(info, thread, network, connections);
    this.connections = new Connections(this.pod);
    this.inbound = new Inbound(this.pod, this.connections);
    this.outbound = new Outbound(this.pod, this.connections);
    this.plaintext = new Plaintext(this.pod, this.connections);
    this.sockets = [];
    this.isClosed = false;
  }

  /** Throws where a port is not to be had; nothing is listened to then. */
  async listen(): Promise<PodAddresses> {
    const { outboundPort, inboundPort, plaintextPort, socksPort } = this.pod.thread.settings;
    const socks = new SocksProxy(this.outbound);
    try {
      return {
        inbound: await this.open(inboundPort, this.inbound, carrierBufferLimit),
        plaintext: await this.open(plaintextPort, this.plaintext, bufferLimit),
        outbound: await this.open(outboundPort, this.outbound, bufferLimit),
        socks: socksPort < 0 ? null : await this.open(socksPort, socks, bufferLimit),
      };
    } catch (error) {
      this.stopListening();
      throw error;
    }
  }

  /** New connections go elsewhere; those that are open go on. */
  drain(): void {
    this.stopListening();
    this.inbound.drain();
    this.pod.pool.drain();
  }

  /** Ends what was opened by or to somebody whose certificate is revoked by now. */
  cutOff(revoked: RevokedCertificates): void {
    const isRevoked = ({ peer }: Connection): boolean => revokedAmong(peer.tls?.peerChain ?? [], revoked) !== null;
    this.inbound.closeWhere(isRevoked, certificateRevoked);
    this.pod.pool.closeWhere(isRevoked, certificateRevoked);
  }

  close(): void {
    this.isClosed = true;
    this.stopListening();
    this.connections.closeAll('the workload is gone');
    this.inbound.close();
    this.pod.close();
  }

  private async open(port: number, handler: AcceptHandler, limit: number): Promise<Address> {
    const { settings } = this.pod.thread;
    const options: ListenOptions = {
      reusePort: settings.reusePort,
      backlog,
      ipv6Only: false,
      pipeMode: null,
      bufferLimit: limit,
      keepAliveSeconds: settings.keepAlive?.seconds ?? null,
      ...(handler === this.outbound && userTimeout(settings)),
    };
    const address: Address = { kind: 'ip', host: settings.listenAddress, port };
    const socket = await this.pod.network.listen(address, options, handler);
    if (this.isClosed) socket.close();
    else this.sockets.push(socket);
    return socket.address;
  }

  private stopListening(): void {
    for (const socket of this.sockets.splice(0)) socket.close();
  }
}
