/** Bytes that are not the DER that was expected. */
export class DerError extends Error {}

/** Universal tags of X.690 and the context tags of RFC 5280, as their first byte says them. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  generalString: 0x1b,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Steps through the elements that lie side by side between two offsets. Never reads beyond the second. */
export class DerReader {
  readonly bytes: Uint8Array;
  /** First byte of the element that `next` found; its number must be below 31. */
  tag: number;
  /** Where that element begins, and its content. */
  start: number;
  contentStart: number;
  /** Behind the element: the next begins here. */
  at: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.tag = 0;
    this.start = start;
    this.contentStart = start;
    this.at = start;
    this.end = end;
  }

  /** False: there are no more. @throws DerError */
  next(): boolean {
    const { bytes, end } = this;
    if (this.at >= end) return false;
    this.start = this.at;
    this.tag = bytes[this.at];
    if ((this.tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
    let at = this.at + 1;
    if (at >= end) throw new DerError('ends within an element');
    let length = bytes[at++];
    if (length >= 0x80) {
      const size = length & 0x7f;
      // Four bytes are 4 GiB; a certificate is limited long before that.
      if (size === 0 || size > 4) throw new DerError('a length that is not definite');
      if (at + size > end) throw new DerError('ends within a length');
      length = 0;
      for (let i = 0; i < size; i++) length = length * 256 + bytes[at++];
    }
    if (length > end - at) throw new DerError('ends within an element');
    this.contentStart = at;
    this.at = at + length;
    return true;
  }

  /** @throws DerError of another tag, or none */
  expect(tag: number): this {
    if (!this.next() || this.tag !== tag) throw new DerError(`expected an element of tag ${tag}`);
    return this;
  }

  get content(): Uint8Array {
    return this.bytes.subarray(this.contentStart, this.at);
  }

  /** With its tag and length. */
  get element(): Uint8Array {
    return this.bytes.subarray(this.start, this.at);
  }

  /** Of what lies within the element. */
  get inner(): DerReader {
    return new DerReader(this.bytes, this.contentStart, this.at);
  }
}
