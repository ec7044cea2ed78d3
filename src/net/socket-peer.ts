import type { Socket } from 'node:net';
import { noProtocols, type Address, type Peer } from '../core/peer.ts';
import type { TlsFacts } from '../core/tls-facts.ts';
import { openOriginalDestinations } from './original-destination.ts';

const unnamedPipe: Address = { kind: 'pipe', host: '', port: 0 };

/** IPv4 addresses that a dual-stack socket shows as `::ffff:a.b.c.d` are IPv4 addresses, as Envoy prints them. */
function address(host: string | undefined, port: number | undefined): Address {
  if (host === undefined || host === '') return unnamedPipe;
  const plain = host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host;
  return { kind: 'ip', host: plain, port: port ?? 0 };
}

/** The ends of a plain socket. Asking the kernel costs two system calls, so each end is read when first asked for. */
export class SocketPeer implements Peer {
  readonly serverName: string;
  readonly alpn: string;
  readonly transportProtocol: 'raw_buffer' | 'tls';
  readonly applicationProtocols: readonly string[];
  readonly ja3: string;
  readonly ja4: string;
  readonly tls: TlsFacts | null;
  private readonly socket: Socket;
  private remoteRead: Address | null;
  private localRead: Address | null;

  constructor(socket: Socket, remote: Address | null, local: Address | null) {
    this.serverName = '';
    this.alpn = '';
    this.transportProtocol = 'raw_buffer';
    this.applicationProtocols = noProtocols;
    this.ja3 = '';
    this.ja4 = '';
    this.tls = null;
    this.socket = socket;
    this.remoteRead = remote;
    this.localRead = local;
  }

  get remote(): Address {
    this.remoteRead ??= address(this.socket.remoteAddress, this.socket.remotePort);
    return this.remoteRead;
  }

  get local(): Address {
    this.localRead ??= address(this.socket.localAddress, this.socket.localPort);
    return this.localRead;
  }

  get originalDestination(): Address | null {
    const handle = (this.socket as unknown as { _handle?: { fd?: number } | null })._handle;
    return openOriginalDestinations().of(handle?.fd ?? -1, this.local);
  }

  get directRemote(): Address {
    return this.remote;
  }

  get directLocal(): Address {
    return this.local;
  }
}
