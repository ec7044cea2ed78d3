/** Ids made at once: one draw of random bytes and one string serve them all. */
const batchSize = 256;
const idLength = 36;
/** Where in a UUID the two digits of each byte stand. */
const pairOffsets = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
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
      for (let i = 0; i < 16; i++) {
        const byte = random[base + i];
        const at = id * idLength + pairOffsets[i];
        text[at] = hexCodes[byte >> 4]!;
        text[at + 1] = hexCodes[byte & 15]!;
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
