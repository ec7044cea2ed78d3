/** 4 or 16 bytes of an IP address as text, without brackets or zone; null: it is none. As inet_pton(3). */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Of an IP address: of which kind it is. The expression of Node's `isIPv6` takes each thread 5 ms to compile. */
export function isIpv6Address(address: string): boolean {
  return address.includes(':');
}

/** As inet_ntop(3) writes 4 or 16 bytes: RFC 5952, an IPv4-mapped address with dots. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8) | bytes[2 * i + 1]);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.subarray(12).join('.')}`;
  const { start, length } = longestZeros(groups);
  const hexadecimal = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hexadecimal(groups);
  return `${hexadecimal(groups.slice(0, start))}::${hexadecimal(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

function parseIpv4(text: string): Uint8Array | null {
  const octets = text.split('.');
  if (octets.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [i, octet] of octets.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(octet) || Number(octet) > 255) return null;
    bytes[i] = Number(octet);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupBytes(halves[0], halves.length === 1);
  if (head === null) return null;
  if (halves.length === 1) return head.length === 16 ? Uint8Array.from(head) : null;
  const tail = groupBytes(halves[1], true);
  // `::` stands for a group at least.
  if (tail === null || head.length + tail.length > 14) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Of colon-separated groups; the last may be an IPv4 address where the address ends. */
function groupBytes(text: string, isEnd: boolean): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (group.includes('.')) {
      const dotted = isEnd && i === groups.length - 1 ? parseIpv4(group) : null;
      if (dotted === null) return null;
      bytes.push(...dotted);
      continue;
    }
    if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return null;
    const number = Number.parseInt(group, 16);
    bytes.push(number >> 8, number & 255);
  }
  return bytes;
}
