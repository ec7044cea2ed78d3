import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import { ByteEngine } from './byte-engine.ts';
import type { CompressorLibraryData } from './library-data.ts';

/** Engines that are kept for later: setting one up costs more than a small body. */
const idleMax = 32;

/** How a format's engine is driven. */
interface Format {
  /** Of `content-encoding`. */
  readonly encoding: string;
  readonly flush: number;
  readonly finish: number;
}

const formats: Readonly<Record<CompressorLibraryData['format'], Format>> = {
  gzip: { encoding: 'gzip', flush: constants.Z_SYNC_FLUSH, finish: constants.Z_FINISH },
  brotli: {
    encoding: 'br',
    flush: constants.BROTLI_OPERATION_FLUSH,
    finish: constants.BROTLI_OPERATION_FINISH,
  },
  zstd: { encoding: 'zstd', flush: constants.ZSTD_e_flush, finish: constants.ZSTD_e_end },
};

/** A configured `compressor_library` in one worker. */
export class CompressorLibrary {
  readonly encoding: string;
  /** `<name>.<format>`, as it stands in stats. */
  readonly statsPrefix: string;
  readonly format: Format;
  private readonly data: CompressorLibraryData;
  private readonly idle: ByteEngine[];

  constructor(data: CompressorLibraryData) {
    this.format = formats[data.format];
    this.encoding = this.format.encoding;
    this.statsPrefix = `${data.name}.${data.format}`;
    this.data = data;
    this.idle = [];
  }

  open(): Compressor {
    return new Compressor(this, this.idle.pop() ?? engineOf(this.data));
  }

  /** The engine is done with. */
  takeBack(engine: ByteEngine): void {
    if (this.idle.length >= idleMax) {
      engine.close();
      return;
    }
    engine.reset();
    this.idle.push(engine);
  }
}

/** One body on its way into a format. */
export class Compressor {
  private readonly library: CompressorLibrary;
  private readonly engine: ByteEngine;
  private isOpen: boolean;

  constructor(library: CompressorLibrary, engine: ByteEngine) {
    this.library = library;
    this.engine = engine;
    this.isOpen = true;
  }

  /** What can be read at the other end without waiting for more. */
  flush(chunk: Uint8Array): Uint8Array {
    return this.engine.run(this.library.format.flush, chunk);
  }

  /** The last of it. */
  finish(chunk: Uint8Array): Uint8Array {
    return this.engine.run(this.library.format.finish, chunk);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.library.takeBack(this.engine);
  }
}

function engineOf(data: CompressorLibraryData): ByteEngine {
  switch (data.format) {
    case 'gzip': {
      const { level, strategy, windowBits, memoryLevel: memLevel } = data;
      return new ByteEngine(createGzip({ level, strategy, windowBits, memLevel }));
    }
    case 'brotli': {
      const params: Record<number, number> = {
        [constants.BROTLI_PARAM_QUALITY]: data.quality,
        [constants.BROTLI_PARAM_MODE]: data.mode,
        [constants.BROTLI_PARAM_LGWIN]: data.windowBits,
        [constants.BROTLI_PARAM_LGBLOCK]: data.blockBits,
        [constants.BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING]: data.disablesLiteralContexts ? 1 : 0,
      };
      return new ByteEngine(createBrotliCompress({ params }), false, parametersOf(params));
    }
    case 'zstd': {
      const params: Record<number, number> = {
        [constants.ZSTD_c_compressionLevel]: data.level,
        [constants.ZSTD_c_checksumFlag]: data.hasChecksum ? 1 : 0,
      };
      if (data.strategy > 0) params[constants.ZSTD_c_strategy] = data.strategy;
      const { dictionary } = data;
      return new ByteEngine(createZstdCompress(dictionary === null ? { params } : { params, dictionary }));
    }
  }
}

/** As the engine takes them: by number, all ones where there is none. */
function parametersOf(params: Readonly<Record<number, number>>): Uint32Array {
  const parameters = new Uint32Array(constants.BROTLI_PARAM_NDIRECT + 1).fill(0xffff_ffff);
  for (const [number, value] of Object.entries(params)) parameters[Number(number)] = value;
  return parameters;
}
