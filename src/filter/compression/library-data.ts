/** A `compressor_library` as plain data; numbers are those of the format's own reference library. */
export type CompressorLibraryData = { readonly name: string } & (
  | {
      readonly format: 'gzip';
      readonly level: number;
      readonly strategy: number;
      readonly windowBits: number;
      readonly memoryLevel: number;
    }
  | {
      readonly format: 'brotli';
      readonly quality: number;
      readonly mode: number;
      readonly windowBits: number;
      readonly blockBits: number;
      readonly disablesLiteralContexts: boolean;
    }
  | {
      readonly format: 'zstd';
      readonly level: number;
      readonly hasChecksum: boolean;
      /** 0: as the level says. */
      readonly strategy: number;
      readonly dictionary: Uint8Array | null;
    }
);

/** A `decompressor_library` as plain data. */
export type DecompressorLibraryData = {
  readonly name: string;
  /** What comes out of one piece may be so many times larger. */
  readonly inflateRatioMax: number;
  /** Output is made in steps of so many bytes, after each of which the ratio is looked at. */
  readonly stepBytes: number;
} & (
  | { readonly format: 'gzip'; readonly windowBits: number }
  | { readonly format: 'brotli'; readonly disablesRingBufferReallocation: boolean }
  | { readonly format: 'zstd'; readonly dictionary: Uint8Array | null }
);
