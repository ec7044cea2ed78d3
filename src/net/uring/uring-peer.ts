import { noProtocols, type Address, type Peer } from '../../core/peer.ts';
import type { TlsFacts } from '../../core/tls-facts.ts';
import { openOriginalDestinations } from '../original-destination.ts';
import type { OsSockets } from './os-socket.ts';

const unnamed: Address = { kind: 'pipe', host: '', port: 0 };

/** The ends of a plain socket, each asked of the kernel when it is first wanted. */
export class UringPeer implements Peer {
  readonly serverName: string;
  readonly alpn: string;
  readonly transportProtocol: 'raw_buffer' | 'tls';
  readonly applicationProtocols: readonly string[];
  readonly ja3: string;
  readonly ja4: string;
  readonly tls: TlsFacts | null;
  private readonly sockets: OsSockets;
  private readonly fd: number;
  private remoteRead: Address | null;
  private localRead: Address | null;
  private isClosed: boolean;

  constructor(sockets: OsSockets, fd: number, remote: Address | null) {
    this.serverName = '';
    this.alpn = '';
    this.transportProtocol = 'raw_buffer';
    this.applicationProtocols = noProtocols;
    this.ja3 = '';
    this.ja4 = '';
    this.tls = null;
    this.sockets = sockets;
    this.fd = fd;
    this.remoteRead = remote;
    this.localRead = null;
    this.isClosed = false;
  }

  get remote(): Address {
    if (this.remoteRead === null && !this.isClosed) this.remoteRead = this.sockets.remoteOf(this.fd);
    return this.remoteRead ?? unnamed;
  }

  get local(): Address {
    if (this.localRead === null && !this.isClosed) this.localRead = this.sockets.localOf(this.fd);
    return this.localRead ?? unnamed;
  }

  get originalDestination(): Address | null {
    return this.isClosed ? null : openOriginalDestinations().of(this.fd, this.local);
  }

  get directRemote(): Address {
    return this.remote;
  }

  get directLocal(): Address {
    return this.local;
  }

  /** The descriptor may soon be another connection's. */
  close(): void {
    this.isClosed = true;
  }
}
