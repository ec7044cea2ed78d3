import { DecoderTable, entryOverhead } from './decoder-table.ts';
import { LiteralReader, Trait, staticTraits, stringBytesDefault } from './literal-reader.ts';
import { firstDynamic, staticNames, staticValues } from './field/static-table.ts';
import type { TableUse } from './table-use.ts';

/** What became of a header block. */
export const HpackError = {
  None: 0,
  /** The block is no HPACK: the tables of both sides differ from here on (COMPRESSION_ERROR). */
  Compression: 1,
  /** More fields or bytes than allowed: the stream is refused, the table is in step. */
  ListTooLarge: 2,
} as const;
export type HpackError = (typeof HpackError)[keyof typeof HpackError];

/** Who receives the fields of a block, in their order. */
export interface FieldSink {
  /**
   * `isNeverIndexed`: whoever forwards the field must encode it so, too (RFC 7541 section 7.1.3).
   * `isClean`: the name is a lower-case token, after a colon or not, and the value has no octet that RFC 9113
   * section 8.2.1 forbids and no white space around it. Known for nothing, as it is found out once per table entry.
   */
  onField(name: string, value: string, isNeverIndexed: boolean, isClean: boolean): void;
}

class NoSink implements FieldSink {
  onField(): void {}
}
const noSink: FieldSink = new NoSink();

/** Size of a dynamic table that nobody has spoken of (RFC 9113 section 6.5.2). */
export const tableBytesDefault = 4096;

/**
 * The reading half of HPACK (RFC 7541) of one connection. `decode` takes header blocks in the order of the wire; after
 * `HpackError.Compression` nothing more can be read. Never throws; takes time and memory in proportion to the block,
 * whatever its references refer to.
 */
export class HpackDecoder {
  private readonly table: DecoderTable;
  private readonly reader: LiteralReader;
  /** What the peer's size updates may go up to. */
  private tableBytesMax: number;
  /** The peer owes a size update to this or less; -1: none. */
  private owedBytesMax: number;
  private sink: FieldSink;
  private use: TableUse | null;
  private listBytesLeft: number;
  private fieldsLeft: number;
  private isTooLarge: boolean;
  /** Of a list that was too large: there were too many bytes, not too many fields. */
  isOverBytes: boolean;

  /**
   * `tableBytesMax`: of the SETTINGS_HEADER_TABLE_SIZE that is in force at first: 4096 before any is acknowledged.
   * `stringBytesMax`: a longer name or value, as it is on the wire, is no HPACK to us.
   */
  constructor({
    tableBytesMax,
    stringBytesMax = stringBytesDefault,
  }: {
    readonly tableBytesMax: number;
    readonly stringBytesMax?: number;
  }) {
    this.table = new DecoderTable(Math.min(tableBytesMax, tableBytesDefault));
    this.reader = new LiteralReader(stringBytesMax);
    this.tableBytesMax = tableBytesMax;
    this.owedBytesMax = -1;
    this.sink = noSink;
    this.use = null;
    this.listBytesLeft = 0;
    this.fieldsLeft = 0;
    this.isTooLarge = false;
    this.isOverBytes = false;
  }

  /** The peer has acknowledged this SETTINGS_HEADER_TABLE_SIZE. Less than before: its next block must begin with it. */
  setTableBytesMax(bytes: number): void {
    this.tableBytesMax = bytes;
    if (bytes >= this.table.bytesMax) return;
    this.table.resize(bytes);
    this.owedBytesMax = bytes;
  }

  /**
   * Decodes `block[start, end)`, which is a whole header block, and hands its fields out. Those beyond
   * `listBytesMax` (each counts name + value + 32, RFC 9113 section 6.5.2) or `fieldsMax` are read, but handed out
   * no more. `use`, a new one, is told what it takes to `repeat` the block.
   */
  decode(
    block: Uint8Array,
    start: number,
    end: number,
    listBytesMax: number,
    fieldsMax: number,
    sink: FieldSink,
    use: TableUse | null = null,
  ): HpackError {
    const { reader } = this;
    reader.open(block, start, end);
    this.sink = sink;
    this.use = use;
    this.listBytesLeft = listBytesMax;
    this.fieldsLeft = fieldsMax;
    this.isTooLarge = false;
    const isRead = this.sizeUpdates() && this.fields();
    if (use !== null && use.changes >= 0 && use.names.length > 0) use.isOnce = true;
    reader.close();
    this.sink = noSink;
    this.use = null;
    if (!isRead) return HpackError.Compression;
    return this.isTooLarge ? HpackError.ListTooLarge : HpackError.None;
  }

  /**
   * The block that `use` tells of has come again. False: it may say something else now, and is to be decoded.
   */
  repeat(use: TableUse): boolean {
    const { table } = this;
    if (this.owedBytesMax >= 0 || (use.changes >= 0 && use.changes !== table.changes)) return false;
    const { names, values, traits } = use;
    for (let i = 0; i < names.length; i++) table.add(names[i], values[i], traits[i]);
    return true;
  }

  /** Size updates come first in a block or not at all. */
  private sizeUpdates(): boolean {
    const { reader } = this;
    while (reader.at < reader.end && (reader.block[reader.at] & 0xe0) === 0x20) {
      const bytes = reader.integer(0x1f);
      if (bytes < 0 || bytes > (this.owedBytesMax < 0 ? this.tableBytesMax : this.owedBytesMax)) return false;
      this.owedBytesMax = -1;
      this.table.resize(bytes);
      if (this.use !== null) this.use.isOnce = true;
    }
    return this.owedBytesMax < 0;
  }

  private fields(): boolean {
    const { reader, table } = this;
    const { block, end } = reader;
    while (reader.at < end) {
      const first = block[reader.at];
      if (first < 0x80) {
        if (!this.literal(first)) return false;
        continue;
      }
      const index = reader.integer(0x7f);
      if (index >= firstDynamic) {
        const age = index - firstDynamic;
        if (age >= table.length) return false;
        if (this.use !== null) this.use.changes = table.changes;
        const slot = table.slotOf(age);
        this.give(table.names[slot], table.values[slot], false, (table.traits[slot] & Trait.Clean) !== 0);
      } else if (index > 0) this.give(staticNames[index], staticValues[index], false, true);
      else return false;
    }
    return true;
  }

  /** A field that is not in the table: with incremental indexing (01…), without (0000…), never (0001…). */
  private literal(first: number): boolean {
    const { reader, table } = this;
    const isAdded = first >= 0x40;
    if (!isAdded && first >= 0x20) return false;
    const index = reader.integer(isAdded ? 0x3f : 0x0f);
    let name: string | null;
    let traits: number;
    if (index === 0) {
      name = reader.name();
      traits = reader.traits;
    } else if (index < firstDynamic) {
      if (index < 0) return false;
      name = staticNames[index];
      traits = staticTraits[index];
    } else {
      const age = index - firstDynamic;
      if (age >= table.length) return false;
      if (this.use !== null) this.use.changes = table.changes;
      const slot = table.slotOf(age);
      name = table.names[slot];
      traits = table.traits[slot];
    }
    if (name === null) return false;
    const isNeverIndexed = first >= 0x10 && !isAdded;
    const value = reader.value(!isNeverIndexed && (traits & Trait.Repeats) !== 0);
    if (value === null) return false;
    const isClean = reader.isCleanValue && (traits & Trait.CleanName) !== 0;
    if (isAdded) this.add(name, value, isClean ? traits | Trait.Clean : traits & ~Trait.Clean);
    this.give(name, value, isNeverIndexed, isClean);
    return true;
  }

  private add(name: string, value: string, traits: number): void {
    this.table.add(name, value, traits);
    const { use } = this;
    if (use === null) return;
    use.names.push(name);
    use.values.push(value);
    use.traits.push(traits);
  }

  private give(name: string, value: string, isNeverIndexed: boolean, isClean: boolean): void {
    this.listBytesLeft -= name.length + value.length + entryOverhead;
    if (this.listBytesLeft >= 0 && this.fieldsLeft > 0) {
      this.fieldsLeft--;
      this.sink.onField(name, value, isNeverIndexed, isClean);
    } else {
      if (!this.isTooLarge) this.isOverBytes = this.listBytesLeft < 0;
      this.isTooLarge = true;
      this.fieldsLeft = 0;
      this.listBytesLeft = -1;
    }
  }
}
