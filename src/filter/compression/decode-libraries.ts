import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import { BrotliSchema as BrotliCompressorSchema } from '../../proto/envoy/extensions/compression/brotli/compressor/v3/brotli_pb.js';
import { BrotliSchema as BrotliDecompressorSchema } from '../../proto/envoy/extensions/compression/brotli/decompressor/v3/brotli_pb.js';
import {
  GzipSchema as GzipCompressorSchema,
  Gzip_CompressionLevel,
} from '../../proto/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js';
import { GzipSchema as GzipDecompressorSchema } from '../../proto/envoy/extensions/compression/gzip/decompressor/v3/gzip_pb.js';
import { ZstdSchema as ZstdCompressorSchema } from '../../proto/envoy/extensions/compression/zstd/compressor/v3/zstd_pb.js';
import { ZstdSchema as ZstdDecompressorSchema } from '../../proto/envoy/extensions/compression/zstd/decompressor/v3/zstd_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { readDataSource } from '../../route/decode/direct-response-decode.ts';
import type { CompressorLibraryData, DecompressorLibraryData } from './library-data.ts';

/** `chunk_size` says in what steps memory is taken for the output: ours is taken otherwise. */
const gzipFields = new SupportedFields(
  GzipCompressorSchema,
  ['memory_level', 'compression_level', 'compression_strategy', 'window_bits'],
  ['chunk_size'],
);
const brotliFields = new SupportedFields(
  BrotliCompressorSchema,
  ['quality', 'encoder_mode', 'window_bits', 'input_block_bits', 'disable_literal_context_modeling'],
  ['chunk_size'],
);
const zstdFields = new SupportedFields(
  ZstdCompressorSchema,
  ['compression_level', 'enable_checksum', 'strategy', 'dictionary'],
  ['chunk_size'],
);
const gunzipFields = new SupportedFields(GzipDecompressorSchema, ['window_bits', 'chunk_size', 'max_inflate_ratio']);
const unbrotliFields = new SupportedFields(BrotliDecompressorSchema, [
  'disable_ring_buffer_reallocation',
  'chunk_size',
]);
const unzstdFields = new SupportedFields(ZstdDecompressorSchema, ['dictionaries', 'chunk_size']);

/** zlib's own number for it. */
const zlibDefault = -1;

/** Envoy's. */
const defaultWindowBits = 12;
const defaultMemoryLevel = 5;
const defaultBrotli = { quality: 3, windowBits: 18, blockBits: 24 };
const defaultZstdLevel = 3;
const defaultStepBytes = 4096;
const zstdStepBytes = 128 * 1024;
const inflateRatioMax = 100;

/** Null: refused. */
export function decodeCompressorLibrary(
  config: TypedExtensionConfig | undefined,
  reasons: Reasons,
): CompressorLibraryData | null {
  const { name, kind, bytes } = opened(config);
  const at = reasons.at('typed_config');
  switch (kind) {
    case GzipCompressorSchema.typeName: {
      const gzip = fromBinary(GzipCompressorSchema, bytes);
      gzipFields.check(gzip, at);
      return {
        name,
        format: 'gzip',
        level:
          gzip.compressionLevel === Gzip_CompressionLevel.DEFAULT_COMPRESSION ? zlibDefault : gzip.compressionLevel,
        strategy: gzip.compressionStrategy,
        windowBits: gzip.windowBits ?? defaultWindowBits,
        memoryLevel: gzip.memoryLevel ?? defaultMemoryLevel,
      };
    }
    case BrotliCompressorSchema.typeName: {
      const brotli = fromBinary(BrotliCompressorSchema, bytes);
      brotliFields.check(brotli, at);
      return {
        name,
        format: 'brotli',
        quality: brotli.quality ?? defaultBrotli.quality,
        // Its default is its first, GENERIC.
        mode: Math.max(0, brotli.encoderMode - 1),
        windowBits: brotli.windowBits ?? defaultBrotli.windowBits,
        blockBits: brotli.inputBlockBits ?? defaultBrotli.blockBits,
        disablesLiteralContexts: brotli.disableLiteralContextModeling,
      };
    }
    case ZstdCompressorSchema.typeName: {
      const zstd = fromBinary(ZstdCompressorSchema, bytes);
      zstdFields.check(zstd, at);
      return {
        name,
        format: 'zstd',
        level: zstd.compressionLevel ?? defaultZstdLevel,
        hasChecksum: zstd.enableChecksum,
        strategy: zstd.strategy,
        dictionary: zstd.dictionary === undefined ? null : readBytes(zstd.dictionary, at.at('dictionary')),
      };
    }
    default:
      reasons.unsupported('typed_config', `compressor library '${name}' of type '${kind}' is not supported by sekisho`);
      return null;
  }
}

/** Null: refused. */
export function decodeDecompressorLibrary(
  config: TypedExtensionConfig | undefined,
  reasons: Reasons,
): DecompressorLibraryData | null {
  const { name, kind, bytes } = opened(config);
  const at = reasons.at('typed_config');
  switch (kind) {
    case GzipDecompressorSchema.typeName: {
      const gzip = fromBinary(GzipDecompressorSchema, bytes);
      gunzipFields.check(gzip, at);
      return {
        name,
        format: 'gzip',
        windowBits: gzip.windowBits ?? defaultWindowBits,
        inflateRatioMax: gzip.maxInflateRatio ?? inflateRatioMax,
        stepBytes: gzip.chunkSize ?? defaultStepBytes,
      };
    }
    case BrotliDecompressorSchema.typeName: {
      const brotli = fromBinary(BrotliDecompressorSchema, bytes);
      unbrotliFields.check(brotli, at);
      return {
        name,
        format: 'brotli',
        disablesRingBufferReallocation: brotli.disableRingBufferReallocation,
        inflateRatioMax,
        stepBytes: brotli.chunkSize ?? defaultStepBytes,
      };
    }
    case ZstdDecompressorSchema.typeName: {
      const zstd = fromBinary(ZstdDecompressorSchema, bytes);
      unzstdFields.check(zstd, at);
      if (zstd.dictionaries.length > 1)
        at.at('dictionaries', 1).add('more than one dictionary is not supported by sekisho');
      const [dictionary] = zstd.dictionaries;
      return {
        name,
        format: 'zstd',
        dictionary: dictionary === undefined ? null : readBytes(dictionary, at.at('dictionaries', 0)),
        inflateRatioMax,
        stepBytes: zstd.chunkSize ?? zstdStepBytes,
      };
    }
    default:
      reasons.unsupported(
        'typed_config',
        `decompressor library '${name}' of type '${kind}' is not supported by sekisho`,
      );
      return null;
  }
}

function opened(config: TypedExtensionConfig | undefined): { name: string; kind: string; bytes: Uint8Array } {
  const { name = '', typedConfig } = config ?? {};
  return {
    name,
    kind: typedConfig?.typeUrl.split('/').at(-1) ?? '',
    bytes: typedConfig?.value ?? new Uint8Array(0),
  };
}

function readBytes(source: DataSource, reasons: Reasons): Uint8Array {
  return Uint8Array.from(readDataSource(source, reasons), (character) => character.charCodeAt(0));
}
