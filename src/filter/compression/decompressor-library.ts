import { constants, createBrotliDecompress, createZstdDecompress } from 'node:zlib';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import { ByteEngine } from './byte-engine.ts';
import { Gunzip } from './gunzip.ts';
import type { DecompressorLibraryData } from './library-data.ts';

type FormatName = DecompressorLibraryData['format'];

const contentEncodings: Readonly<Record<FormatName, string>> = { gzip: 'gzip', brotli: 'br', zstd: 'zstd' };

/** Envoy's counters of what went wrong, by format. */
const errorStats: Readonly<Record<FormatName, readonly string[]>> = {
  gzip: [
    'zlib_errno',
    'zlib_stream_error',
    'zlib_data_error',
    'zlib_mem_error',
    'zlib_buf_error',
    'zlib_version_error',
  ],
  brotli: ['brotli_error', 'brotli_output_overflow', 'brotli_redundant_input'],
  zstd: ['zstd_generic_error', 'zstd_dictionary_error', 'zstd_checksum_wrong_error', 'zstd_memory_error'],
};

/** A configured `decompressor_library` in one worker. */
export class DecompressorLibrary {
  readonly encoding: string;
  readonly data: DecompressorLibraryData;
  private readonly scope: StatsScope;
  private hasStats: boolean;

  /** @param scope `http.<stat_prefix>.decompressor.<name>.<format>` */
  constructor(data: DecompressorLibraryData, scope: StatsScope) {
    this.encoding = contentEncodings[data.format];
    this.data = data;
    this.scope = scope.scope('decompressor_library');
    this.hasStats = false;
  }

  open(): Decompressor {
    // As Envoy: they are there from the first body on.
    if (!this.hasStats) for (const name of errorStats[this.data.format]) this.scope.counter(name);
    this.hasStats = true;
    return this.body();
  }

  private body(): Decompressor {
    const { data } = this;
    switch (data.format) {
      case 'gzip':
        return new GzipBody(this, data.windowBits);
      case 'brotli': {
        const reallocation = constants.BROTLI_DECODER_PARAM_DISABLE_RING_BUFFER_REALLOCATION;
        const params = { [reallocation]: data.disablesRingBufferReallocation };
        return new BrotliBody(this, createBrotliDecompress({ params }));
      }
      case 'zstd':
        return new ZstdBody(
          this,
          createZstdDecompress(data.dictionary === null ? {} : { dictionary: data.dictionary }),
        );
    }
  }

  error(name: string): Counter {
    return this.scope.counter(name);
  }
}

/**
 * One body on its way out of a format. As Envoy, what cannot be read is counted and left out; the message goes on with
 * what could.
 */
export interface Decompressor {
  decompress(chunk: Uint8Array): Uint8Array;
  close(): void;
}

class GzipBody implements Decompressor {
  private readonly library: DecompressorLibrary;
  private readonly gunzip: Gunzip;

  constructor(library: DecompressorLibrary, windowBits: number) {
    this.library = library;
    this.gunzip = new Gunzip(windowBits);
  }

  decompress(chunk: Uint8Array): Uint8Array {
    const { gunzip, library } = this;
    const { inflateRatioMax, stepBytes } = library.data;
    const bytes = gunzip.run(chunk, chunk.length * inflateRatioMax, stepBytes);
    if (gunzip.hasFailed || gunzip.isOverLimit) library.error('zlib_data_error').inc();
    return bytes;
  }

  close(): void {
    this.gunzip.close();
  }
}

class BrotliBody implements Decompressor {
  private readonly library: DecompressorLibrary;
  private readonly engine: ByteEngine;

  constructor(library: DecompressorLibrary, stream: object) {
    this.library = library;
    this.engine = new ByteEngine(stream);
  }

  decompress(chunk: Uint8Array): Uint8Array {
    const { engine, library } = this;
    const { inflateRatioMax, stepBytes } = library.data;
    // As Envoy, which looks at the ratio before it adds the next step.
    const bytesMax = chunk.length * inflateRatioMax + stepBytes;
    const bytes = engine.run(constants.BROTLI_OPERATION_PROCESS, chunk, bytesMax, stepBytes);
    if (engine.isOverLimit) library.error('brotli_output_overflow').inc();
    if (engine.isOverLimit || engine.failure !== '') library.error('brotli_error').inc();
    else if (engine.bytesLeft > 0) library.error('brotli_redundant_input').inc();
    return bytes;
  }

  close(): void {
    this.engine.close();
  }
}

class ZstdBody implements Decompressor {
  private readonly library: DecompressorLibrary;
  private readonly engine: ByteEngine;

  constructor(library: DecompressorLibrary, stream: object) {
    this.library = library;
    this.engine = new ByteEngine(stream, true);
  }

  decompress(chunk: Uint8Array): Uint8Array {
    const { engine, library } = this;
    const { inflateRatioMax, stepBytes } = library.data;
    const bytes = engine.run(constants.ZSTD_e_continue, chunk, chunk.length * inflateRatioMax, stepBytes);
    if (engine.failure !== '') library.error(zstdError(engine.failure)).inc();
    else if (engine.isOverLimit) library.error('zstd_generic_error').inc();
    return bytes;
  }

  close(): void {
    this.engine.close();
  }
}

/** @param code zstd's name of the error */
function zstdError(code: string): string {
  if (code === 'ZSTD_error_checksum_wrong') return 'zstd_checksum_wrong_error';
  if (code === 'ZSTD_error_memory_allocation') return 'zstd_memory_error';
  return code.startsWith('ZSTD_error_dictionary_') ? 'zstd_dictionary_error' : 'zstd_generic_error';
}
