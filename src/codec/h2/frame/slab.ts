/** Small frames are written one behind the other into pieces of memory of this size. */
const slabBytes = 16 * 1024;

/** Below this a slab is given up: most writes need less. */
const slabRestMin = 512;

/** Memory of which everything before `used` has been given away. */
export class Slab {
  readonly bytes: Uint8Array;
  used: number;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.used = 0;
  }
}

/** Slabs that nobody is writing to: at the end of a turn as many as connections were written to, but not more than this. */
const freeMax = 64;
const free: Slab[] = [];

/** A slab with room for `size` bytes behind `used`. */
export function takeSlab(size: number): Slab {
  const slab = free.pop();
  if (slab === undefined) return new Slab(Math.max(size, slabBytes));
  if (slab.bytes.length - slab.used >= size) return slab;
  if (size > slabBytes) {
    free.push(slab);
    return new Slab(size);
  }
  return new Slab(slabBytes);
}

/** What lies before `used` belongs to whom it was written for; the rest is free again. */
export function giveSlabBack(slab: Slab): void {
  if (slab.bytes.length - slab.used >= slabRestMin && slab.bytes.length <= slabBytes && free.length < freeMax)
    free.push(slab);
}
