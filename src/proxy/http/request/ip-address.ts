/**
 * IP addresses as text, as x-forwarded-for and CIDR ranges carry them. Strict like inet_pton: no ports, no brackets,
 * no leading zeros.
 */
export interface IpAddress {
  /** As inet_ntop prints it. */
  readonly text: string;
  /** Eight 16-bit groups; an IPv4 address has two. */
  readonly groups: readonly number[];
}

/** Null: `text` is not an IPv4 or IPv6 address. */
export function parseIp(text: string): IpAddress | null {
  if (text.includes(':')) return parseIpv6(text);
  const groups = parseIpv4(text, 0, text.length);
  return groups === null ? null : { text, groups };
}

function parseIpv4(text: string, start: number, end: number): [number, number] | null {
  if (end - start < 7 || end - start > 15) return null;
  let value = 0;
  let octets = 0;
  let i = start;
  while (octets < 4) {
    let octet = 0;
    const first = i;
    for (; i < end; i++) {
      const digit = text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) break;
      octet = octet * 10 + digit;
    }
    const digits = i - first;
    if (digits === 0 || digits > 3 || octet > 255 || (digits > 1 && text.charCodeAt(first) === 48)) return null;
    value = value * 256 + octet;
    octets++;
    if (octets < 4 && text.charCodeAt(i++) !== 46 /* . */) return null;
  }
  return i === end ? [Math.floor(value / 65536), value % 65536] : null;
}

function parseIpv6(text: string): IpAddress | null {
  const gap = text.indexOf('::');
  if (gap >= 0 && text.indexOf('::', gap + 1) >= 0) return null;
  const left = parseGroups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const right = gap < 0 ? [] : parseGroups(text.slice(gap + 2), true);
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return null;
  const groups = [...left, ...Array.from({ length: missing }, () => 0), ...right];
  return { text: formatIpv6(groups), groups };
}

function parseGroups(text: string, mayEndWithIpv4: boolean): number[] | null {
  const groups: number[] = [];
  if (text === '') return groups;
  const parts = text.split(':');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part.includes('.')) {
      const pair = mayEndWithIpv4 && i === parts.length - 1 ? parseIpv4(part, 0, part.length) : null;
      if (pair === null) return null;
      groups.push(pair[0], pair[1]);
    } else {
      const group = parseHexGroup(part);
      if (group < 0) return null;
      groups.push(group);
    }
  }
  return groups;
}

function parseHexGroup(part: string): number {
  if (part.length === 0 || part.length > 4) return -1;
  let value = 0;
  for (let i = 0; i < part.length; i++) {
    const digit = hexDigit(part.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Value of a hexadecimal digit's character code; -1: none. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** The longest run of zero groups (two or more, the first of equals) becomes `::`; RFC 5952. */
function formatIpv6(groups: readonly number[]): string {
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
    if (length > 0) i += length - 1;
  }
  // inet_ntop prints ::1.2.3.4 and ::ffff:1.2.3.4 with a dotted tail.
  if (best === 0 && (bestLength === 6 || (bestLength === 5 && groups[5] === 0xffff))) {
    const [high, low] = [groups[6], groups[7]];
    return `${bestLength === 6 ? '::' : '::ffff:'}${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(':');
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + bestLength).join(':')}`;
}

/** A set of CIDR ranges. */
export class CidrRanges {
  private readonly ranges: readonly { readonly groups: readonly number[]; readonly length: number }[];

  constructor(ranges: readonly { readonly address: string; readonly length: number }[]) {
    this.ranges = ranges.flatMap(({ address, length }) => {
      const ip = parseIp(address);
      return ip === null ? [] : [{ groups: ip.groups, length: Math.min(length, ip.groups.length * 16) }];
    });
  }

  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  contains(address: IpAddress): boolean {
    for (const range of this.ranges) if (isWithin(address.groups, range.groups, range.length)) return true;
    return false;
  }
}

function isWithin(address: readonly number[], network: readonly number[], length: number): boolean {
  if (address.length !== network.length) return false;
  const whole = length >> 4;
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false;
  const rest = length & 15;
  return rest === 0 || address[whole] >> (16 - rest) === network[whole] >> (16 - rest);
}
