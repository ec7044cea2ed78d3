/** Types of records that are answered from the table. */
export const RecordType = { A: 1, CNAME: 5, OPT: 41, AAAA: 28 } as const;

export const ResponseCode = { NoError: 0, ServerFailure: 2 } as const;

const headerBytes = 12;
const nameBytesMax = 255;
const labelBytesMax = 63;
/** More than any name has, so that pointers that point at each other end. */
const pointersMax = 32;
const classInternet = 1;
/** What a client takes over UDP that does not say (RFC 1035 section 4.2.1). */
const udpBytesMin = 512;
export const messageBytesMax = 65_535;

const Flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  checkingDisabled: 0x0010,
};

/** What of a query is looked at. */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** In lower case, each label with its dot: `a.b.`; empty: there is no question. */
  readonly name: string;
  readonly type: number;
  /** The question as it came, to be said again; empty: there is none. */
  readonly question: Uint8Array;
  /** Bytes of an answer over UDP that the client takes. */
  readonly udpBytesMax: number;
}

/** One address record, or the one alias before them. */
export interface AnswerRecord {
  /** `a.b.`. */
  readonly owner: string;
  readonly type: number;
  /** Of an alias its target, else the address: 4 or 16 bytes. */
  readonly data: string | Uint8Array;
}

/** Null: it is no query that can be answered, not even with a failure. */
export function parseQuery(bytes: Uint8Array): Query | null {
  if (bytes.length < headerBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  if ((flags & Flag.response) !== 0) return null;
  const id = view.getUint16(0);
  const noQuestion = { id, flags, name: '', type: 0, question: bytes.subarray(0, 0), udpBytesMax: udpBytesMin };
  if (view.getUint16(4) === 0) return noQuestion;
  const name = readName(bytes, headerBytes);
  if (name === null || name.end + 4 > bytes.length) return null;
  const end = name.end + 4;
  return {
    id,
    flags,
    name: name.text,
    type: view.getUint16(name.end),
    question: bytes.subarray(headerBytes, end),
    udpBytesMax: view.getUint16(4) === 1 ? udpSize(bytes, view, end) : udpBytesMin,
  };
}

/** Whether it is an answer to a query of this number. */
export function isAnswerTo(bytes: Uint8Array, id: number): boolean {
  return bytes.length >= headerBytes && ((bytes[0] << 8) | bytes[1]) === id && (bytes[2] & 0x80) !== 0;
}

/** The number of a message of twelve bytes or more. */
export function messageId(bytes: Uint8Array): number {
  return (bytes[0] << 8) | bytes[1];
}

/** @param bytesMax records that do not fit are left out, and it is said that there were more */
export function encodeAnswer(
  query: Query,
  code: number,
  records: readonly AnswerRecord[],
  ttlSeconds: number,
  bytesMax: number,
): Uint8Array {
  const writer = new MessageWriter(query.question);
  let count = 0;
  for (const record of records) {
    if (!writer.add(record, ttlSeconds, bytesMax)) break;
    count++;
  }
  const isAuthoritative = code === ResponseCode.NoError;
  const flags =
    Flag.response |
    (query.flags & (Flag.recursionDesired | Flag.checkingDisabled)) |
    (isAuthoritative ? Flag.authoritative : 0) |
    (count < records.length ? Flag.truncated : 0) |
    code;
  return writer.finish(query, flags, count);
}

/** Of an answer that is too long for the client what it is told: that there is more. */
export function truncate(answer: Uint8Array, question: Uint8Array): Uint8Array {
  const cut = new Uint8Array(headerBytes + question.length);
  cut.set(answer.subarray(0, headerBytes));
  cut.set(question, headerBytes);
  cut[2] |= Flag.truncated >> 8;
  cut.fill(0, 6, headerBytes);
  return cut;
}

/** Null: there is no name. */
function readName(bytes: Uint8Array, start: number): { readonly text: string; readonly end: number } | null {
  let text = '';
  let at = start;
  let end = -1;
  for (let pointers = 0; pointers < pointersMax;) {
    const length = bytes[at];
    if (length === undefined) return null;
    if (length === 0) return { text: text === '' ? '.' : text, end: end === -1 ? at + 1 : end };
    if ((length & 0xc0) === 0xc0) {
      const low = bytes[at + 1];
      if (low === undefined) return null;
      if (end === -1) end = at + 2;
      at = ((length & 0x3f) << 8) | low;
      pointers++;
      continue;
    }
    if (length > labelBytesMax || at + 1 + length > bytes.length) return null;
    text += `${labelText(bytes.subarray(at + 1, at + 1 + length))}.`;
    if (text.length > nameBytesMax) return null;
    at += 1 + length;
  }
  return null;
}

/** In lower case; a dot within a label is none between labels. */
function labelText(label: Uint8Array): string {
  let text = '';
  for (const byte of label) {
    const isUpper = byte >= 65 && byte <= 90;
    text += byte === 46 ? String.raw`\.` : String.fromCharCode(isUpper ? byte + 32 : byte);
  }
  return text;
}

/** Of the OPT record, which stands behind the question where there is nothing else. */
function udpSize(bytes: Uint8Array, view: DataView, start: number): number {
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  let at = start;
  for (let i = 0; i < records; i++) {
    const name = readName(bytes, at);
    if (name === null || name.end + 10 > bytes.length) return udpBytesMin;
    if (view.getUint16(name.end) === RecordType.OPT) return Math.max(udpBytesMin, view.getUint16(name.end + 2));
    at = name.end + 10 + view.getUint16(name.end + 8);
  }
  return udpBytesMin;
}

class MessageWriter {
  private readonly bytes: number[];
  /** Where names, and ends of names, have been written. */
  private readonly places: Map<string, number>;

  constructor(question: Uint8Array) {
    this.bytes = [...Array<number>(headerBytes).fill(0), ...question];
    this.places = new Map();
    const name = readName(Uint8Array.from(this.bytes), headerBytes);
    if (name !== null && question.length > 0) this.remember(name.text, headerBytes);
  }

  /** @returns false: it does not fit */
  add({ owner, type, data }: AnswerRecord, ttlSeconds: number, bytesMax: number): boolean {
    const start = this.bytes.length;
    this.name(owner);
    this.number(type, 2);
    this.number(classInternet, 2);
    this.number(ttlSeconds, 4);
    const lengthAt = this.bytes.length;
    this.number(0, 2);
    if (typeof data === 'string') this.name(data);
    else this.bytes.push(...data);
    const length = this.bytes.length - lengthAt - 2;
    this.bytes[lengthAt] = length >> 8;
    this.bytes[lengthAt + 1] = length & 0xff;
    if (this.bytes.length <= bytesMax) return true;
    this.bytes.length = start;
    return false;
  }

  finish({ id, question }: Query, flags: number, count: number): Uint8Array {
    const bytes = Uint8Array.from(this.bytes);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, id);
    view.setUint16(2, flags);
    view.setUint16(4, question.length === 0 ? 0 : 1);
    view.setUint16(6, count);
    return bytes;
  }

  private name(name: string): void {
    let rest = name;
    while (rest !== '' && rest !== '.') {
      const place = this.places.get(rest);
      if (place !== undefined) {
        this.number(0xc000 | place, 2);
        return;
      }
      // A pointer has 14 bits.
      if (this.bytes.length < 0x4000) this.places.set(rest, this.bytes.length);
      const [label, after] = splitLabel(rest);
      const written = Buffer.from(label.replaceAll(String.raw`\.`, '.'), 'latin1');
      this.bytes.push(written.length, ...written);
      rest = after;
    }
    this.bytes.push(0);
  }

  private remember(name: string, start: number): void {
    let rest = name;
    let at = start;
    while (rest !== '' && rest !== '.') {
      if (!this.places.has(rest)) this.places.set(rest, at);
      const [label, after] = splitLabel(rest);
      at += 1 + label.replaceAll(String.raw`\.`, '.').length;
      rest = after;
    }
  }

  private number(value: number, size: number): void {
    for (let shift = (size - 1) * 8; shift >= 0; shift -= 8) this.bytes.push((value >>> shift) & 0xff);
  }
}

function splitLabel(name: string): [label: string, rest: string] {
  let at = name.indexOf('.');
  while (at > 0 && name[at - 1] === '\\') at = name.indexOf('.', at + 1);
  return at === -1 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}
