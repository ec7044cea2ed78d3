import { latin1, noBytes } from '../../core/bytes.ts';
import { formatIp } from '../../core/ip-address.ts';

/** RFC 1928. */
const version = 5;
const noAuthentication = 0;
const Command = { Connect: 1 } as const;
const AddressType = { Ipv4: 1, Name: 3, Ipv6: 4 } as const;

/** Bytes of the longest greeting (257) and request (262) together. */
const bytesMax = 519;

export const SocksReply = { Succeeded: 0, Failed: 1, CommandUnknown: 7, AddressUnknown: 8 } as const;
export type SocksReply = (typeof SocksReply)[keyof typeof SocksReply];

/** What a client has said so far. */
export type SocksState =
  | { readonly kind: 'greeting' | 'request' }
  /** `isName`: of a host, to be looked up. */
  | { readonly kind: 'wanted'; readonly isName: boolean; readonly host: string; readonly port: number }
  | { readonly kind: 'refused'; readonly reply: SocksReply | null };

/** Reads what a SOCKS 5 client says before its own bytes. */
export class SocksReader {
  state: SocksState;
  /** What came behind the request. */
  rest: Uint8Array;
  private bytes: Uint8Array;

  constructor() {
    this.state = { kind: 'greeting' };
    this.rest = noBytes;
    this.bytes = noBytes;
  }

  /** True: a greeting is complete, and `greetingReply` is to be sent. */
  read(chunk: Uint8Array): boolean {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    const isGreeted = this.state.kind === 'greeting' && this.readGreeting();
    if (this.state.kind === 'request') this.readRequest();
    if (this.state.kind === 'wanted') this.rest = this.bytes;
    else if (this.bytes.length > bytesMax) this.state = { kind: 'refused', reply: null };
    return isGreeted;
  }

  private readGreeting(): boolean {
    const { bytes } = this;
    if (bytes.length > 0 && bytes[0] !== version) this.state = { kind: 'refused', reply: null };
    if (bytes.length < 2 || this.state.kind === 'refused') return false;
    const end = 2 + bytes[1];
    if (bytes.length < end) return false;
    const isPossible = bytes.subarray(2, end).includes(noAuthentication);
    this.bytes = bytes.subarray(end);
    this.state = isPossible ? { kind: 'request' } : { kind: 'refused', reply: null };
    return isPossible;
  }

  private readRequest(): void {
    const { bytes } = this;
    if (bytes.length > 0 && bytes[0] !== version) this.state = { kind: 'refused', reply: null };
    else if (bytes.length > 1 && bytes[1] !== Command.Connect)
      this.state = { kind: 'refused', reply: SocksReply.CommandUnknown };
    else if (bytes.length > 4) this.readAddress(bytes[3]);
  }

  private readAddress(type: number): void {
    const { bytes } = this;
    const isName = type === AddressType.Name;
    const from = isName ? 5 : 4;
    let size = isName ? bytes[4] : 4;
    if (type === AddressType.Ipv6) size = 16;
    if ((type !== AddressType.Ipv4 && type !== AddressType.Ipv6 && !isName) || size === 0) {
      this.state = { kind: 'refused', reply: SocksReply.AddressUnknown };
      return;
    }
    const end = from + size;
    if (bytes.length < end + 2) return;
    const host = isName ? latin1(bytes, from, end) : formatIp(bytes.subarray(from, end));
    this.state = { kind: 'wanted', isName, host, port: (bytes[end] << 8) | bytes[end + 1] };
    this.bytes = bytes.subarray(end + 2);
  }
}

export function greetingReply(): Uint8Array {
  return Uint8Array.of(version, noAuthentication);
}

/** The address that it was bound to is nobody's business. */
export function requestReply(reply: SocksReply): Uint8Array {
  return Uint8Array.of(version, reply, 0, AddressType.Ipv4, 0, 0, 0, 0, 0, 0);
}
