import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { isFlagOn, type RuntimeView } from '../../core/runtime-view.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import { DecompressorLibrary, type Decompressor } from '../compression/decompressor-library.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { outermostEncoding, removeOutermostEncoding, withEncoding } from './content-encoding.ts';
import type { DecompressorData, DirectionData } from './decompressor-data.ts';

/** Requests, or responses. */
class Direction {
  readonly data: DirectionData;
  readonly decompressed: Counter;
  readonly notDecompressed: Counter;
  readonly compressedBytes: Counter;
  readonly uncompressedBytes: Counter;
  private readonly runtime: RuntimeView;

  constructor(data: DirectionData, scope: StatsScope, runtime: RuntimeView) {
    this.data = data;
    this.decompressed = scope.counter('decompressed');
    this.notDecompressed = scope.counter('not_decompressed');
    this.compressedBytes = scope.counter('total_compressed_bytes');
    this.uncompressedBytes = scope.counter('total_uncompressed_bytes');
    this.runtime = runtime;
  }

  get isOn(): boolean {
    return isFlagOn(this.runtime, this.data.enabled);
  }
}

/** `envoy.filters.http.decompressor`. */
export class DecompressorFilter implements FilterFactory {
  readonly library: DecompressorLibrary;
  readonly request: Direction;
  readonly response: Direction;
  /** Trailers that say how many bytes there were. */
  private readonly compressedTrailer: string;
  private readonly uncompressedTrailer: string;
  private readonly advertises: boolean;

  constructor(data: DecompressorData, context: FilterContext) {
    const { name, format } = data.library;
    const scope = context.stats.scope('decompressor').scope(`${name}.${format}`);
    this.library = new DecompressorLibrary(data.library, scope);
    this.request = new Direction(data.request, scope.scope('request'), context.runtime);
    this.response = new Direction(data.response, scope.scope('response'), context.runtime);
    this.compressedTrailer = `x-envoy-decompressor-${name}-compressed-bytes`.toLowerCase();
    this.uncompressedTrailer = `x-envoy-decompressor-${name}-uncompressed-bytes`.toLowerCase();
    this.advertises = data.advertises;
  }

  create(): HttpFilter {
    return new DecompressedExchange(this);
  }

  advertise(headers: Headers): void {
    if (!this.advertises || !this.response.isOn) return;
    headers.set('accept-encoding', withEncoding(headers.get('accept-encoding'), this.library.encoding));
  }

  /** Into trailers: how many bytes there were. */
  report(body: Body, trailers: Headers): Headers {
    trailers.set(this.compressedTrailer, String(body.compressedBytes));
    trailers.set(this.uncompressedTrailer, String(body.uncompressedBytes));
    return trailers;
  }

  /** Null: the body goes on as it is. */
  open(direction: Direction, headers: Headers): Body | null {
    const isFit =
      direction.isOn &&
      (direction.data.ignoresNoTransform || !forbidsTransform(headers)) &&
      outermostEncoding(headers) === this.library.encoding;
    (isFit ? direction.decompressed : direction.notDecompressed).inc();
    if (!isFit) return null;
    removeOutermostEncoding(headers);
    headers.remove('content-length');
    return new Body(direction, this.library.open());
  }
}

/** A body on its way out of its encoding. */
class Body {
  private readonly direction: Direction;
  private readonly decompressor: Decompressor;
  compressedBytes: number;
  uncompressedBytes: number;

  constructor(direction: Direction, decompressor: Decompressor) {
    this.direction = direction;
    this.decompressor = decompressor;
    this.compressedBytes = 0;
    this.uncompressedBytes = 0;
  }

  take(chunk: Uint8Array): Uint8Array {
    const bytes = this.decompressor.decompress(chunk);
    this.compressedBytes += chunk.length;
    this.uncompressedBytes += bytes.length;
    this.direction.compressedBytes.add(chunk.length);
    this.direction.uncompressedBytes.add(bytes.length);
    return bytes;
  }

  close(): void {
    this.decompressor.close();
  }
}

class DecompressedExchange implements HttpFilter {
  private readonly filter: DecompressorFilter;
  private request: Body | null;
  private response: Body | null;

  constructor(filter: DecompressorFilter) {
    this.filter = filter;
    this.request = null;
    this.response = null;
  }

  onRequestHead(_stream: Stream, { headers }: RequestHead, end: boolean): Verdict {
    this.filter.advertise(headers);
    if (!end) this.request = this.filter.open(this.filter.request, headers);
    return Verdict.Continue;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.request === null) return Verdict.Continue;
    const bytes = this.request.take(chunk);
    if (bytes.length > 0) stream.injectRequestData(this, bytes, false);
    if (end) stream.injectRequestTrailers!(this, this.filter.report(this.request, new Headers()));
    return Verdict.Take;
  }

  onRequestTrailers(_stream: Stream, trailers: Headers): Verdict {
    if (this.request !== null) this.filter.report(this.request, trailers);
    return Verdict.Continue;
  }

  onResponseHead(_stream: Stream, { headers }: ResponseHead, end: boolean): Verdict {
    if (!end) this.response = this.filter.open(this.filter.response, headers);
    return Verdict.Continue;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.response === null) return Verdict.Continue;
    const bytes = this.response.take(chunk);
    if (bytes.length > 0) stream.injectResponseData(this, bytes, false);
    if (end) stream.injectResponseTrailers!(this, this.filter.report(this.response, new Headers()));
    return Verdict.Take;
  }

  onResponseTrailers(_stream: Stream, trailers: Headers): Verdict {
    if (this.response !== null) this.filter.report(this.response, trailers);
    return Verdict.Continue;
  }

  onComplete(): void {
    this.request?.close();
    this.response?.close();
  }
}

function forbidsTransform(headers: Headers): boolean {
  const value = headers.get('cache-control');
  return value?.split(',').some((token) => token.trim().toLowerCase() === 'no-transform') === true;
}
