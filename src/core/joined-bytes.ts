/** Chunks up to this size are joined. A small read may lie in memory many times its size, shared with others. */
const joinedBytesMax = 1024;

/** So many chunks are kept as they came: a few do no harm. */
export const unjoinedMax = 16;

/** What small chunks are joined in: a chunk that is kept holds at most this much beyond its own size. */
const blockBytes = 4096;

/** The blocks' memory. The last view handed out of a block ends where the block is filled to. */
const blocks = new WeakSet<ArrayBufferLike>();

/**
 * Joins a chunk that is to be kept to the last one that is: a body that trickles in, a byte at a time, must not hold a
 * read buffer for each byte. `last` must not be kept elsewhere to be joined to as well.
 * @returns what takes `last`'s place; null: keep `chunk` beside it
 */
export function joined(last: Uint8Array, chunk: Uint8Array): Uint8Array | null {
  if (chunk.length > joinedBytesMax) return null;
  const { buffer, byteOffset, length } = last;
  if (blocks.has(buffer)) {
    const filled = byteOffset + length;
    if (filled + chunk.length > blockBytes) return null;
    new Uint8Array(buffer).set(chunk, filled);
    return new Uint8Array(buffer, byteOffset, length + chunk.length);
  }
  if (length > joinedBytesMax) return null;
  const block = new Uint8Array(blockBytes);
  blocks.add(block.buffer);
  block.set(last, 0);
  block.set(chunk, length);
  return block.subarray(0, length + chunk.length);
}

/** Adds a chunk to a list that is kept. */
export function keepIn(list: Uint8Array[], chunk: Uint8Array): void {
  const last = list.length - 1;
  const both = last < unjoinedMax ? null : joined(list[last], chunk);
  if (both === null) list.push(chunk);
  else list[last] = both;
}
