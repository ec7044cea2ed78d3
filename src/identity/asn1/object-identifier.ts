/** Beyond this a number is no longer exact: one more step of seven bits would not fit. */
const exactMax = 2 ** 46;

/** `2.5.4.3`. What is cut off within a number ends before it. */
export function dottedOid(content: Uint8Array): string {
  let text = '';
  let value = 0;
  for (let i = 0; i < content.length; i++) {
    const byte = content[i];
    if (value > exactMax) return longOid(content);
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    text = text === '' ? firstArcs(BigInt(value)) : `${text}.${value}`;
    value = 0;
  }
  return text;
}

/** With numbers of any size: UUIDs are some. */
function longOid(content: Uint8Array): string {
  const arcs: bigint[] = [];
  let value = 0n;
  for (const byte of content) {
    value = (value << 7n) | BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    arcs.push(value);
    value = 0n;
  }
  const [first, ...rest] = arcs;
  return first === undefined ? '' : [firstArcs(first), ...rest].join('.');
}

/** The first number holds two: X.690 section 8.19.4. */
function firstArcs(value: bigint): string {
  const first = value < 40n ? 0n : value < 80n ? 1n : 2n;
  return `${first}.${value - first * 40n}`;
}
