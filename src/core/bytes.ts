/** `latin1Slice` of Node's Buffer reads any Uint8Array; its types leave it out. */
const latin1Slice = (
  Buffer.prototype as unknown as { latin1Slice: (this: Uint8Array, start: number, end: number) => string }
).latin1Slice;

/** `bytes[start, end)` as a string with one character per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

/** No bytes: what ends a message that has nothing left to say. */
export const noBytes: Uint8Array = new Uint8Array(0);

const latin1Write = (
  Buffer.prototype as unknown as {
    latin1Write: (this: Uint8Array, text: string, start: number, length: number) => number;
  }
).latin1Write;

/** Writes `text`, one byte per character, to `bytes[at, at + text.length)`, for which there must be room. */
export function writeLatin1(bytes: Uint8Array, text: string, at: number): void {
  latin1Write.call(bytes, text, at, text.length);
}

/** The same text in one piece: what is put together once and becomes part of other texts again and again. latin1. */
export function inOnePiece(text: string): string {
  const bytes = new Uint8Array(text.length);
  writeLatin1(bytes, text, 0);
  return latin1(bytes, 0, bytes.length);
}
