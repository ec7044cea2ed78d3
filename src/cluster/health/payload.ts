/** Each of `expected` is found in `bytes`, one behind the other. Source: Envoy `PayloadMatcher::match`. */
export function holdsAll(bytes: Uint8Array, expected: readonly Uint8Array[]): boolean {
  let from = 0;
  for (const segment of expected) {
    const at = indexOf(bytes, segment, from);
    if (at < 0) return false;
    from = at + segment.length;
  }
  return true;
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const last = bytes.length - wanted.length;
  for (let at = from; at <= last; at++) {
    let i = 0;
    while (i < wanted.length && bytes[at + i] === wanted[i]) i++;
    if (i === wanted.length) return at;
  }
  return -1;
}
