/** Ids made at once: one draw of random bytes and one string serve them all. */
const batchSize = 256;
const idLength = 16;
const hexCodes = Uint8Array.from('0123456789abcdef', (char) => char.charCodeAt(0));

/** Random 64-bit ids, 16 hexadecimal digits each. */
export class RandomIds {
  private readonly fill: (bytes: Uint8Array<ArrayBuffer>) => void;
  private readonly random: Uint8Array<ArrayBuffer>;
  private readonly text: Uint8Array<ArrayBuffer>;
  private readonly decoder: TextDecoder;
  private batch: string;
  private next: number;

  constructor(fill: (bytes: Uint8Array<ArrayBuffer>) => void = (bytes) => void crypto.getRandomValues(bytes)) {
    this.fill = fill;
    this.random = new Uint8Array((batchSize * idLength) / 2);
    this.text = new Uint8Array(batchSize * idLength);
    this.decoder = new TextDecoder();
    this.batch = '';
    this.next = 0;
  }

  take(): string {
    if (this.next === this.batch.length) this.refill();
    const start = this.next;
    this.next = start + idLength;
    return this.batch.slice(start, this.next);
  }

  private refill(): void {
    const { random, text } = this;
    this.fill(random);
    for (let i = 0; i < random.length; i++) {
      text[2 * i] = hexCodes[random[i] >> 4];
      text[2 * i + 1] = hexCodes[random[i] & 15];
    }
    this.batch = this.decoder.decode(text);
    this.next = 0;
  }
}
