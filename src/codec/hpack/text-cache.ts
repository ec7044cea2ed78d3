/**
 * Remembers what literals on the wire decode to, so that one that comes again needs no decoding and is the same
 * string. Direct-mapped: every literal has one place, and takes it when it comes a second time; what never comes
 * again costs a hash and displaces nothing.
 */
export class TextCache {
  /** By place: what the literal means, and whatever its owner noted of it. */
  readonly texts: string[];
  readonly traits: Uint8Array;
  readonly textBytesMax: number;
  /** The upper bits of a hash are the place. */
  private readonly shift: number;
  private readonly bytes: Uint8Array;
  /** Length and encoding of what lies at a place. */
  private readonly keys: Int32Array;
  private readonly candidates: Int32Array;
  /** The place that the literal looked for last may take; -1: none. */
  private vacant: number;

  /** `places`: a power of two. `textBytesMax`: longer literals are not for this cache. */
  constructor(places: number, textBytesMax: number) {
    this.texts = Array.from({ length: places }, () => '');
    this.traits = new Uint8Array(places);
    this.textBytesMax = textBytesMax;
    this.shift = Math.clz32(places - 1);
    this.bytes = new Uint8Array(places * textBytesMax);
    this.keys = new Int32Array(places).fill(-1);
    this.candidates = new Int32Array(places);
    this.vacant = -1;
  }

  /** The place of the literal `bytes[start, end)`, which is not empty; -1: it is not known. */
  find(bytes: Uint8Array, start: number, end: number, isHuffman: boolean): number {
    const key = ((end - start) << 1) | (isHuffman ? 1 : 0);
    const hash = hashOf(bytes, start, end, key);
    const place = hash >>> this.shift;
    if (this.keys[place] === key && this.holds(place, bytes, start, end)) return place;
    this.vacant = this.candidates[place] === hash ? place : -1;
    this.candidates[place] = hash;
    return -1;
  }

  /** What the literal that was not found just now means. */
  offer(bytes: Uint8Array, start: number, end: number, isHuffman: boolean, text: string, traits: number): void {
    const place = this.vacant;
    if (place < 0) return;
    this.keys[place] = ((end - start) << 1) | (isHuffman ? 1 : 0);
    let to = place * this.textBytesMax;
    for (let at = start; at < end; at++) this.bytes[to++] = bytes[at];
    this.texts[place] = text;
    this.traits[place] = traits;
  }

  private holds(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    const held = this.bytes;
    let other = place * this.textBytesMax;
    for (let at = start; at < end; at++) if (held[other++] !== bytes[at]) return false;
    return true;
  }
}

const factor = 0x9e3779b1;

/** Four octets at a time; the last four may overlap. Multiplication moves bits only upwards, so they are rotated. */
export function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = Math.imul(seed, factor);
  if (end - start < 4) {
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], factor);
  } else {
    const last = end - 4;
    for (let at = start; at < last; at += 4)
      hash = Math.imul(((hash << 13) | (hash >>> 19)) ^ wordAt(bytes, at), factor);
    hash = Math.imul(((hash << 13) | (hash >>> 19)) ^ wordAt(bytes, last), factor);
  }
  return Math.imul(hash ^ (hash >>> 15), factor);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
