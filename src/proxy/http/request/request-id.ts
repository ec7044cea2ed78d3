/** Ids made at once: one draw of random bytes and one string serve them all. */
const batchSize = 128;
const idLength = 36;
/** Positions of a UUID's hexadecimal digits. */
const digitOffsets: readonly number[] = Array.from({ length: idLength }, (_, i) => i).filter(
  (i) => i !== 8 && i !== 13 && i !== 18 && i !== 23,
);
const hexCodes = Uint8Array.from('0123456789abcdef', (char) => char.charCodeAt(0));

/** Where Envoy packs the reason for tracing: 4 none, 9 sampled, a forced by a service, b by the client. */
export const traceNibble = 14;

/** Random UUIDs (version 4) for x-request-id. */
export class RequestIds {
  private readonly fill: (bytes: Uint8Array<ArrayBuffer>) => void;
  private readonly random: Uint8Array<ArrayBuffer>;
  private readonly text: Uint8Array<ArrayBuffer>;
  private readonly decoder: TextDecoder;
  private batch: string;
  private next: number;

  constructor(fill: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => void crypto.getRandomValues(bytes)) {
    this.fill = fill;
    this.random = new Uint8Array(batchSize * 16);
    this.text = new Uint8Array(batchSize * idLength).fill(45 /* - */);
    this.decoder = new TextDecoder();
    this.batch = '';
    this.next = 0;
  }

  take(): string {
    if (this.next === this.batch.length) this.refill();
    const start = this.next;
    this.next = start + idLength;
    // hot: request-preparation — a slice of the batch shares its characters.
    return this.batch.slice(start, this.next);
  }

  private refill(): void {
    const { random, text } = this;
    this.fill(random);
    for (let id = 0; id < batchSize; id++) {
      const base = id * 16;
      random[base + 6] = (random[base + 6] & 0x0f) | 0x40;
      random[base + 8] = (random[base + 8] & 0x3f) | 0x80;
      for (let digit = 0; digit < 32; digit++) {
        const byte = random[base + (digit >> 1)];
        text[id * idLength + digitOffsets[digit]] = hexCodes[(digit & 1) === 0 ? byte >> 4 : byte & 15]!;
      }
    }
    this.batch = this.decoder.decode(text);
    this.next = 0;
  }
}

/** A kept id from outside must not decide about tracing: its nibble says "none". Ids that are no UUID stay. */
export function clearTraceReason(id: string): string {
  if (id.length !== idLength || id.charCodeAt(traceNibble) === 52 /* 4 */) return id;
  return `${id.slice(0, traceNibble)}4${id.slice(traceNibble + 1)}`;
}
