import { isValueOctet } from '../field/characters.ts';
import { codeLengths, codes, eos } from './code.ts';

/**
 * The states are the inner nodes of the code's tree, breadth first, so that the common ones lie together. A step eats
 * one byte and gives no, one or two octets (the shortest code has 5 bits). 256 states × 256 bytes:
 * bits 0–7 the first octet, 8–15 the next state, 16–23 the second octet, 24–25 how many, 26 whether one of them may be
 * in no field value; negative: EOS. The state lies where the next index needs it: the loop waits for nothing else.
 */
const steps = new Int32Array(256 * 256);
/** Filled when the first literal comes: it takes some milliseconds, and most workers never see HTTP/2 when they start. */
let isFilled = false;
const hasEos = 1 << 31;
const isBad = 1 << 26;

/** States in which the input may end: the root, and up to 7 bits of EOS after it. */
const isEnd = new Uint8Array(256);

/** Two children per node: a state, or `~symbol`. */
let children: Int16Array = new Int16Array(0);

function tree(): Int16Array {
  const byCode: [number, number][] = [[0, 0]];
  for (let symbol = 0; symbol <= eos; symbol++) {
    let node = 0;
    for (let bit = codeLengths[symbol] - 1; bit > 0; bit--) {
      const side = (codes[symbol] >>> bit) & 1;
      if (byCode[node][side] === 0) byCode[node][side] = byCode.push([0, 0]) - 1;
      node = byCode[node][side];
    }
    byCode[node][codes[symbol] & 1] = ~symbol;
  }
  const order = [0];
  for (const node of order) for (const child of byCode[node]) if (child > 0) order.push(child);
  const stateOf = new Map(order.map((node, state) => [node, state]));
  return Int16Array.from(
    order.flatMap((node) => byCode[node].map((child) => (child > 0 ? stateOf.get(child)! : child))),
  );
}

/** Fills `steps` from `first` on for all bytes that begin with `byte`'s upper `depth` bits. */
function fill(first: number, node: number, depth: number, byte: number, octets: number, count: number): void {
  if (depth === 8) {
    steps[first | byte] = octets | (node << 8) | (count << 24);
    return;
  }
  for (let side = 0; side < 2; side++) {
    const child = children[node * 2 + side];
    const taken = (byte << 1) | side;
    if (child >= 0) fill(first, child, depth + 1, taken, octets, count);
    else if (~child !== eos) {
      const octet = (~child << (16 * count)) | (isValueOctet(~child) ? 0 : isBad);
      fill(first, 0, depth + 1, taken, octets | octet, count + 1);
    } else steps.fill(hasEos, first + (taken << (7 - depth)), first + ((taken + 1) << (7 - depth)));
  }
}

function fillAll(): void {
  children = tree();
  for (let state = 0; state < 256; state++) fill(state << 8, state, 0, 0, 0, 0);
  for (let node = 0, depth = 0; depth < 8; depth++, node = children[node * 2 + 1]) isEnd[node] = 1;
  isFilled = true;
}

/** Room that `decodeHuffman` needs for so many bytes of input. */
export function huffmanRoom(size: number): number {
  return size * 2;
}

/**
 * Decodes `bytes[start, end)` to the beginning of `out`; gives `count << 1 | isBad`: how many octets those are, and
 * whether one of them may be in no field value. -1: it has EOS in it, or ends with more than 7 bits of padding or with
 * padding that is not EOS's (RFC 7541 section 5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  if (!isFilled) fillAll();
  let length = 0;
  let state = 0;
  let seen = 0;
  for (let at = start; at < end; at++) {
    const step = steps[state | bytes[at]];
    seen |= step;
    out[length] = step;
    out[length + 1] = step >> 16;
    length += (step >> 24) & 3;
    state = step & 0xff00;
  }
  return seen < 0 || isEnd[state >> 8] === 0 ? -1 : (length << 1) | ((seen >> 26) & 1);
}
