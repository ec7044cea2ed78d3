import { HpackDecoder, HpackError, tableBytesDefault } from '../../hpack/decoder.ts';
import { TableUse } from '../../hpack/table-use.ts';
import { fieldOverheadBytes } from '../limits.ts';
import type { H2Options } from '../options.ts';
import { KnownBlocks } from './known-blocks.ts';
import type { MessageFields } from './message-fields.ts';

/** The header blocks of one connection's peer, in the order of the wire. */
export class HeaderBlocks {
  private readonly hpack: HpackDecoder;
  private readonly known: KnownBlocks;
  private readonly fieldsMax: number;
  private readonly listBytesMax: number;

  constructor({ headerFieldBytesMax, headersBytesMax, headersCountMax }: H2Options) {
    this.hpack = new HpackDecoder({ tableBytesMax: tableBytesDefault, stringBytesMax: headerFieldBytesMax });
    this.known = new KnownBlocks();
    this.fieldsMax = headersCountMax;
    // The bytes are counted by the fields: HPACK's count has 32 more for each.
    this.listBytesMax = headersBytesMax + fieldOverheadBytes * headersCountMax;
  }

  /** Of a list that was too large: there were too many bytes, not too many fields. */
  get isOverBytes(): boolean {
    return this.hpack.isOverBytes;
  }

  setTableBytesMax(bytes: number): void {
    this.hpack.setTableBytesMax(bytes);
  }

  /** Reads `bytes[from, to)`, a whole block, into `fields`, which has begun. */
  read(fields: MessageFields, bytes: Uint8Array, from: number, to: number): HpackError {
    const { hpack, known } = this;
    const block = known.find(bytes, from, to, fields.isTrailers);
    if (block !== null) {
      if (hpack.repeat(block.use)) {
        fields.assume(block.fields);
        return HpackError.None;
      }
      known.forget(block);
    }
    if (!known.isWanted) return hpack.decode(bytes, from, to, this.listBytesMax, this.fieldsMax, fields);
    const use = new TableUse();
    const error = hpack.decode(bytes, from, to, this.listBytesMax, this.fieldsMax, fields, use);
    if (error === HpackError.None && !use.isOnce && fields.isRepeatable)
      known.keep({ bytes: Uint8Array.prototype.slice.call(bytes, from, to), fields: fields.copy(), use });
    return error;
  }
}
