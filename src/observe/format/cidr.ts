/** The network of `bits` bits that `address` is in, `address/bits` with the rest zero. More bits than it has: all. */
export function maskAddress(address: string, bits: number): string {
  return address.includes(':') ? mask6(address, Math.min(bits, 128)) : mask4(address, Math.min(bits, 32));
}

function mask4(address: string, bits: number): string {
  const octets = address.split('.').map((octet, i) => Number(octet) & groupMask(bits - 8 * i, 8));
  return `${octets.join('.')}/${bits}`;
}

function mask6(address: string, bits: number): string {
  const groups = groupsOf(address).map((group, i) => group & groupMask(bits - 16 * i, 16));
  return `${compress(groups)}/${bits}`;
}

/** A mask of `size` bits with the first `bits` set. */
function groupMask(bits: number, size: number): number {
  const kept = Math.max(0, Math.min(bits, size));
  return ((1 << size) - 1) & ~((1 << (size - kept)) - 1);
}

/** The eight groups of an IPv6 address, a dotted tail included. */
function groupsOf(address: string): number[] {
  const [left, right] = address.split('::') as [string, string?];
  const head = partsOf(left);
  if (right === undefined) return head;
  const tail = partsOf(right);
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function partsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [parseInt(part, 16)];
    const [a, b, c, d] = part.split('.').map(Number) as [number, number, number, number];
    return [a * 256 + b, c * 256 + d];
  });
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`. */
function compress(groups: number[]): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < groups.length; i++) {
    let run = 0;
    while (groups[i + run] === 0) run++;
    if (run > length) {
      start = i;
      length = run;
    }
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}
