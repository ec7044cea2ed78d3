import { parseIp } from '../core/ip-address.ts';

/** A range of addresses as plain data: all whose first `length` bits are those of `address`. */
export interface IpPrefix {
  readonly address: string;
  readonly length: number;
}

/** Prefixes of one length, by their bits. */
interface Length<Value> {
  readonly length: number;
  readonly values: Map<string, Value>;
}

/** Values by ranges of addresses: found with a look-up per length that there is, longest first. */
export class IpPrefixMap<Value> {
  private readonly ipv4: Length<Value>[];
  private readonly ipv6: Length<Value>[];

  constructor() {
    this.ipv4 = [];
    this.ipv6 = [];
  }

  /** Of exactly this range; undefined: there is none. */
  get({ address, length }: IpPrefix): Value | undefined {
    const bytes = bytesOf(address);
    return this.lengthsOf(bytes)
      .find((found) => found.length === length)
      ?.values.get(keyOf(bytes, length));
  }

  set({ address, length }: IpPrefix, value: Value): void {
    const bytes = bytesOf(address);
    const lengths = this.lengthsOf(bytes);
    let found = lengths.find((one) => one.length === length);
    if (found === undefined) {
      found = { length, values: new Map() };
      lengths.push(found);
      lengths.sort((a, b) => b.length - a.length);
    }
    found.values.set(keyOf(bytes, length), value);
  }

  /** Of the longest range that holds the address (4 or 16 bytes); undefined: none does. */
  find(address: Uint8Array): Value | undefined {
    for (const { length, values } of this.lengthsOf(address)) {
      const value = values.get(keyOf(address, length));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Of all ranges that hold the address, the longest first. */
  findAll(address: Uint8Array): Value[] {
    const found: Value[] = [];
    for (const { length, values } of this.lengthsOf(address)) {
      const value = values.get(keyOf(address, length));
      if (value !== undefined) found.push(value);
    }
    return found;
  }

  private lengthsOf(address: Uint8Array): Length<Value>[] {
    return address.length === 4 ? this.ipv4 : this.ipv6;
  }
}

/** The first `length` bits. */
function keyOf(address: Uint8Array, length: number): string {
  const whole = length >> 3;
  const rest = length & 7;
  let key = '';
  for (let i = 0; i < whole; i++) key += String.fromCharCode(address[i]);
  return rest === 0 ? key : key + String.fromCharCode(address[whole] & (0xff00 >> rest));
}

/** @throws Error where decoding has let something pass that is no address */
function bytesOf(address: string): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === null) throw new Error(`no IP address: ${address}`);
  return bytes;
}

/** Whether the range holds the address (4 or 16 bytes). */
export function holds(range: IpPrefix, address: Uint8Array): boolean {
  const bytes = parseIp(range.address);
  return (
    bytes !== null && bytes.length === address.length && keyOf(bytes, range.length) === keyOf(address, range.length)
  );
}
