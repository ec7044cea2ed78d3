import { readClientHello } from '../../src/codec/client-hello/client-hello.ts';
import { ja3, ja4 } from '../../src/codec/client-hello/fingerprint.ts';
import { readProxyProtocolHeader } from '../../src/codec/proxy-protocol-reader.ts';
import { formatAddress } from '../../src/core/peer.ts';

/** Plays what is read from the first bytes of a connection: all that has come is read anew with every piece. */
export class PrefixPlayer {
  private readonly read: (bytes: Buffer) => string | null;
  private bytes = Buffer.alloc(0);
  private events: string | null = null;

  /** `client-hello`, or `proxy-protocol` with any of `optional`, `no-v1` and `no-v2`. */
  constructor([role, ...options]: readonly string[]) {
    const rules = {
      allowsNone: options.includes('optional'),
      allowsVersion1: !options.includes('no-v1'),
      allowsVersion2: !options.includes('no-v2'),
    };
    this.read = role === 'client-hello' ? describeHello : (bytes) => describeHeader(bytes, rules);
  }

  receive(piece: Buffer): void {
    if (this.events !== null) return;
    this.bytes = Buffer.concat([this.bytes, piece]);
    this.events = this.read(this.bytes);
  }

  /** What was found; `more` as long as there is not enough. */
  takeEvents(): string {
    const { events } = this;
    const isNew = this.bytes.length > 0;
    this.bytes = Buffer.alloc(0);
    this.events = null;
    return events ?? (isNew ? 'more' : '');
  }
}

function describeHello(bytes: Buffer): string | null {
  const hello = readClientHello(bytes);
  if (hello === null) return null;
  const lines = [hello.problem === null ? 'hello' : `problem ${hello.problem.name}`, `consumed ${hello.consumed}`];
  if (hello.isReadable) {
    const hex = (values: readonly number[]): string =>
      values.map((value) => value.toString(16).padStart(4, '0')).join(' ');
    if (hello.serverName !== '') lines.push(`server-name ${hello.serverName}`);
    if (hello.applicationProtocols.length > 0) lines.push(`protocols ${hello.applicationProtocols.join(' ')}`);
    if (hello.supportedVersions.length > 0) lines.push(`versions ${hex(hello.supportedVersions)}`);
    lines.push(`ja3 ${ja3(hello)}`, `ja4 ${ja4(hello)}`);
  }
  return lines.join('\n');
}

function describeHeader(bytes: Buffer, rules: Parameters<typeof readProxyProtocolHeader>[1]): string | null {
  const header = readProxyProtocolHeader(bytes, rules);
  if (header === null) return null;
  const lines = [`${header.result} version ${header.version}`];
  if (header.result === 'done') lines.push(`size ${header.size}`);
  if (header.ends !== null)
    lines.push(`from ${formatAddress(header.ends.from)}`, `to ${formatAddress(header.ends.to)}`);
  for (const { type, value } of header.tlvs) lines.push(`tlv ${type} ${Buffer.from(value).toString('hex')}`);
  return lines.join('\n');
}
