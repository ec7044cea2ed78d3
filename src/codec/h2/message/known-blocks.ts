import type { TableUse } from '../../hpack/table-use.ts';
import { hashOf } from '../../hpack/text-cache.ts';
import type { MessageFields } from './message-fields.ts';

/** Longest block that is remembered: one that repeats is mostly indices. */
const blockBytesMax = 96;

/** Blocks of a connection that are remembered, each at a place of its own. A power of two. */
const placesCount = 8;
const placesMask = placesCount - 1;

/** Blocks in a row that were not known, after which only one in as many is looked for. */
const strangersMax = 16;

/** A header block that has come twice, and what it says. */
export interface KnownBlock {
  readonly bytes: Uint8Array;
  readonly fields: MessageFields;
  readonly use: TableUse;
}

/**
 * Header blocks of one connection that come again octet by octet (calls of one method, answers of one kind), with what
 * was made of them, so that they need neither be read nor judged anew. As in a `TextCache`, a block takes its place when
 * it comes the second time. Where none comes again, hardly any is looked at.
 */
export class KnownBlocks {
  /** Nothing is held before something is worth looking at. */
  private blocks: (KnownBlock | null)[] | null;
  private hashes: number[] | null;
  private strangers: number;
  /** Where the block may be kept that was looked for last; -1: nowhere. */
  private vacant: number;

  constructor() {
    this.blocks = null;
    this.hashes = null;
    this.strangers = strangersMax;
    this.vacant = -1;
  }

  /** The block was looked for in vain, and has come before. */
  get isWanted(): boolean {
    return this.vacant >= 0;
  }

  find(bytes: Uint8Array, start: number, end: number, isTrailers: boolean): KnownBlock | null {
    this.vacant = -1;
    const size = end - start;
    if (++this.strangers > strangersMax && this.strangers % strangersMax !== 0) return null;
    if (size > blockBytesMax) return null;
    this.blocks ??= Array.from<null>({ length: placesCount }).fill(null);
    this.hashes ??= Array.from<number>({ length: placesCount }).fill(0);
    const hash = hashOf(bytes, start, end, (size << 1) | (isTrailers ? 1 : 0)) >>> 2;
    const place = hash & placesMask;
    if (this.hashes[place] !== hash) {
      this.hashes[place] = hash;
      return null;
    }
    const known = this.blocks[place];
    if (known !== null && isSame(known.bytes, bytes, start, size) && known.fields.isTrailers === isTrailers) {
      this.strangers = 0;
      return known;
    }
    this.vacant = place;
    return null;
  }

  /** Only where `isWanted`. */
  keep(known: KnownBlock): void {
    this.blocks![this.vacant] = known;
  }

  /** What was found is of no use any more: it may be kept anew. */
  forget(known: KnownBlock): void {
    this.vacant = this.blocks!.indexOf(known);
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, size: number): boolean {
  if (known.length !== size) return false;
  for (let i = 0; i < size; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
