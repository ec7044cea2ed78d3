import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Zone {
  readonly a?: readonly string[];
  /** Last hextet of `2001:db8::x`. */
  readonly aaaa?: readonly number[];
  readonly ttl?: number;
  /** 2: SERVFAIL. */
  readonly rcode?: number;
}

/** As much of a DNS server as a resolver can tell: answers A and AAAA from a table, NXDOMAIN for the rest. */
export class DnsServer {
  /** Name → what is known of it. */
  readonly zones: Map<string, Zone>;
  /** `name type`, in order. */
  readonly asked: string[];
  private readonly socket: Socket;

  private constructor(socket: Socket) {
    this.zones = new Map();
    this.asked = [];
    this.socket = socket;
    socket.on('message', (query, { port, address }) => socket.send(this.answer(query), port, address));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  stop(): void {
    this.socket.close();
  }

  private answer(query: Buffer): Buffer {
    const labels: string[] = [];
    let at = 12;
    while (query[at] > 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
      at += 1 + query[at];
    }
    const name = labels.join('.').toLowerCase();
    const type = query.readUInt16BE(at + 1);
    this.asked.push(`${name} ${type === 1 ? 'A' : 'AAAA'}`);
    const zone = this.zones.get(name);
    const records = (type === 1 ? zone?.a?.map(ipv4) : zone?.aaaa?.map(ipv6)) ?? [];
    const header = Buffer.alloc(12);
    header.writeUInt16BE(query.readUInt16BE(0), 0);
    header.writeUInt16BE(0x8180 | (zone === undefined ? 3 : (zone.rcode ?? 0)), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const question = query.subarray(12, at + 5);
    return Buffer.concat([header, question, ...records.map((data) => record(type, zone?.ttl ?? 30, data))]);
  }
}

function record(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function ipv6(last: number): Buffer {
  return Buffer.from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
}
