import type { ByteTarget } from './byte-writer.ts';
import { tableBytesDefault } from './decoder.ts';
import { encoderName, type EncoderName } from './encoder-name.ts';
import { EncoderTable, numberMax } from './encoder-table.ts';
import { Indexing, cookieBytesMin } from './field/habits.ts';
import { LastBlock } from './last-block.ts';
import { firstDynamic } from './field/static-table.ts';
import { textRoom, writeInteger, writeText } from './string-writer.ts';

export type { ByteTarget } from './byte-writer.ts';

/** What is Huffman-coded: what goes into the table, everything, or nothing but well-known names, which cost nothing. */
export type HuffmanUse = 'kept' | 'all' | 'none';

/** Room for any integer. */
const integerRoom = 8;

/**
 * The writing half of HPACK (RFC 7541) of one connection. What repeats goes into the table, Huffman-coded where that
 * is shorter; what does not is written as it is: it is coded anew every time, and then the bytes saved cost more than
 * they weigh. Names are lower-case, values latin1.
 */
export class HpackEncoder {
  private readonly table: EncoderTable;
  private readonly tableBytesMax: number;
  /** The smallest size since the last block, which the peer must hear of; -1: none. */
  private bytesMaxLow: number;
  /** Entries are referred to by number, those of the static table by negative index. */
  private readonly lastBlock: LastBlock;
  private readonly codesKept: boolean;
  private readonly codesRest: boolean;
  private position: number;

  /** `tableBytesMax`: what the table may take at most here, whatever the peer allows. */
  constructor(tableBytesMax: number = tableBytesDefault, huffman: HuffmanUse = 'kept') {
    this.table = new EncoderTable(Math.min(tableBytesMax, tableBytesDefault));
    this.tableBytesMax = tableBytesMax;
    this.bytesMaxLow = tableBytesMax < tableBytesDefault ? tableBytesMax : -1;
    this.lastBlock = new LastBlock();
    this.codesKept = huffman !== 'none';
    this.codesRest = huffman === 'all';
    this.position = 0;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. Its decoder hears of it at the beginning of the next block. */
  setPeerTableBytesMax(bytes: number): void {
    const bytesMax = Math.min(bytes, this.tableBytesMax);
    if (bytesMax === this.table.bytesMax) return;
    this.table.resize(bytesMax);
    if (this.bytesMaxLow < 0 || bytesMax < this.bytesMaxLow) this.bytesMaxLow = bytesMax;
  }

  /** Once per header block, before its first field. */
  begin(out: ByteTarget): void {
    this.position = 0;
    if (this.table.newest >= numberMax) {
      this.table.renumber();
      this.lastBlock.clear();
    }
    if (this.bytesMaxLow >= 0) this.sizeUpdates(out);
  }

  /** Writes a field as is best for it. */
  field(out: ByteTarget, name: string, value: string): void {
    const { table, lastBlock } = this;
    const position = this.position++;
    const last = lastBlock.recall(position, name, value);
    if (last < 0) {
      this.indexed(out, -last);
      return;
    }
    if (last > table.evicted) {
      this.indexed(out, firstDynamic + table.newest - last);
      return;
    }
    this.search(out, encoderName(name), value, position);
  }

  /** Writes a field that nobody on the way may put in a table (RFC 7541 section 7.1.3). */
  neverIndexed(out: ByteTarget, name: string, value: string): void {
    const known = encoderName(name);
    this.literal(out, 0x10, 0x0f, known, this.nameIndex(known), value, this.codesRest);
  }

  private search(out: ByteTarget, known: EncoderName, value: string, position: number): void {
    const { indexing, staticValues, name } = known;
    if (indexing >= Indexing.Never && (indexing === Indexing.Never || value.length < cookieBytesMin)) {
      this.literal(out, 0x10, 0x0f, known, this.nameIndex(known), value, this.codesRest);
      return;
    }
    for (let i = 0; i < staticValues.length; i++) {
      if (staticValues[i] === value) {
        this.lastBlock.keep(position, name, value, -(known.staticIndex + i));
        this.indexed(out, known.staticIndex + i);
        return;
      }
    }
    if (indexing === Indexing.Without) {
      this.literal(out, 0, 0x0f, known, this.nameIndex(known), value, this.codesRest);
      return;
    }
    const { table } = this;
    const number = table.find(known, value);
    if (number !== 0) {
      this.lastBlock.keep(position, name, value, number);
      this.indexed(out, firstDynamic + table.newest - number);
      return;
    }
    const index = known.staticIndex || (table.nameNumber && firstDynamic + table.newest - table.nameNumber);
    if (table.isWorthAdding(known, value)) {
      this.literal(out, 0x40, 0x3f, known, index, value, this.codesKept);
      table.add(known, value);
    } else this.literal(out, 0, 0x0f, known, index, value, this.codesRest);
  }

  /** The lowest size since the last block, then the present one (RFC 7541 section 4.2). */
  private sizeUpdates(out: ByteTarget): void {
    const low = this.bytesMaxLow;
    const { bytesMax } = this.table;
    out.ensure(integerRoom * 2);
    if (low < bytesMax) out.length = writeInteger(out.bytes, out.length, 0x20, 0x1f, low);
    out.length = writeInteger(out.bytes, out.length, 0x20, 0x1f, bytesMax);
    this.bytesMaxLow = -1;
  }

  private nameIndex(name: EncoderName): number {
    if (name.staticIndex !== 0) return name.staticIndex;
    const number = this.table.findName(name);
    return number === 0 ? 0 : firstDynamic + this.table.newest - number;
  }

  private indexed(out: ByteTarget, index: number): void {
    out.ensure(integerRoom);
    if (index < 0x7f) out.bytes[out.length++] = 0x80 | index;
    else out.length = writeInteger(out.bytes, out.length, 0x80, 0x7f, index);
  }

  /** `index`: of an entry with the name; 0: the name is written out. */
  private literal(
    out: ByteTarget,
    flags: number,
    mask: number,
    name: EncoderName,
    index: number,
    value: string,
    isHuffman: boolean,
  ): void {
    const { literal } = name;
    out.ensure(integerRoom + literal.length + textRoom(value));
    const { bytes } = out;
    let at = writeInteger(bytes, out.length, flags, mask, index);
    if (index === 0) for (let i = 0; i < literal.length; i++) bytes[at++] = literal[i];
    out.length = writeText(bytes, at, value, isHuffman);
  }
}
