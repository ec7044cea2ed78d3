/** What became of a header block. */
export const HpackError = {
  None: 0,
  /** The block is no HPACK: the tables of both sides may differ from here on (COMPRESSION_ERROR). */
  Compression: 1,
  /** More fields or bytes than allowed: the stream is refused, the table is in step. */
  ListTooLarge: 2,
} as const;
export type HpackError = (typeof HpackError)[keyof typeof HpackError];

/** Who receives the fields of a block, in their order. */
export interface FieldSink {
  onField(name: string, value: string, isNeverIndexed: boolean): void;
}

/** The reading half of HPACK (RFC 7541) of one connection. */
export class HpackDecoder {
  constructor(_options: { tableBytesMax: number }) {}

  decode(
    _block: Uint8Array,
    _start: number,
    _end: number,
    _listBytesMax: number,
    _fieldsMax: number,
    _sink: FieldSink,
  ): HpackError {
    return HpackError.Compression;
  }

  setTableBytesMax(_bytes: number): void {}
}
