import { Headers } from '../../core/headers.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { Bandwidth } from './bandwidth.ts';
import { Pacer, type PacedHalf } from './pacer.ts';

/** `envoy.filters.http.bandwidth_limit`. */
export class BandwidthLimitFilter implements FilterFactory {
  readonly filterName: string;
  private readonly bandwidth: Bandwidth;

  constructor(bandwidth: Bandwidth, context: FilterContext) {
    this.filterName = context.filterName;
    this.bandwidth = bandwidth;
  }

  create(): HttpFilter {
    return new PacedExchange(this);
  }

  bandwidthOf(stream: Stream): Bandwidth {
    return (stream.perFilterConfig(this.filterName) as Bandwidth | undefined) ?? this.bandwidth;
  }
}

class PacedExchange implements HttpFilter {
  private readonly filter: BandwidthLimitFilter;
  private bandwidth: Bandwidth | null;
  request: Pacer | null;
  private response: Pacer | null;
  /** Those of the response that are to say how long it took; null: none are. */
  trailers: Headers | null;
  requestMs: number;

  constructor(filter: BandwidthLimitFilter) {
    this.filter = filter;
    this.bandwidth = null;
    this.request = null;
    this.response = null;
    this.trailers = null;
    this.requestMs = 0;
  }

  onRequestHead(stream: Stream): Verdict {
    const bandwidth = this.filter.bandwidthOf(stream);
    this.bandwidth = bandwidth;
    if (!bandwidth.data.limitsRequests || !bandwidth.isOn) return Verdict.Continue;
    bandwidth.request.enabled.inc();
    this.request = new Pacer(bandwidth, bandwidth.request, stream, new PacedRequest(this, stream));
    return Verdict.Continue;
  }

  onRequestData(_stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.request === null) return Verdict.Continue;
    this.request.take(chunk, end);
    return Verdict.Take;
  }

  onRequestTrailers(): Verdict {
    return this.request?.holdsTrailers() === true ? Verdict.Stop : Verdict.Continue;
  }

  onResponseHead(stream: Stream): Verdict {
    const bandwidth = this.bandwidth ?? this.filter.bandwidthOf(stream);
    if (!bandwidth.data.limitsResponses || !bandwidth.isOn) return Verdict.Continue;
    bandwidth.response.enabled.inc();
    this.bandwidth = bandwidth;
    this.response = new Pacer(bandwidth, bandwidth.response, stream, new PacedResponse(this, stream));
    return Verdict.Continue;
  }

  onResponseData(_stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.response === null) return Verdict.Continue;
    if (end && this.bandwidth!.data.trailerPrefix !== null) this.trailers = new Headers();
    this.response.take(chunk, end);
    return Verdict.Take;
  }

  onResponseTrailers(_stream: Stream, trailers: Headers): Verdict {
    if (this.response === null) return Verdict.Continue;
    if (this.bandwidth!.data.trailerPrefix !== null) this.trailers = trailers;
    return this.response.holdsTrailers() ? Verdict.Stop : Verdict.Continue;
  }

  onComplete(): void {
    this.request?.stop();
    this.response?.stop();
  }

  /** The response is about to end. */
  describe(): void {
    const { trailers, response, request } = this;
    const prefix = this.bandwidth!.data.trailerPrefix;
    if (trailers === null || response === null || prefix === null) return;
    if (this.requestMs > 0) trailers.set(`${prefix}bandwidth-request-delay-ms`, String(this.requestMs));
    if (request !== null && request.delayMs > 0)
      trailers.set(`${prefix}bandwidth-request-filter-delay-ms`, String(request.delayMs));
    if (response.elapsedMs > 0) trailers.set(`${prefix}bandwidth-response-delay-ms`, String(response.elapsedMs));
    if (response.delayMs > 0) trailers.set(`${prefix}bandwidth-response-filter-delay-ms`, String(response.delayMs));
  }
}

class PacedRequest implements PacedHalf {
  private readonly exchange: PacedExchange;
  private readonly stream: Stream;

  constructor(exchange: PacedExchange, stream: Stream) {
    this.exchange = exchange;
    this.stream = stream;
  }

  inject(chunk: Uint8Array, end: boolean): void {
    this.stream.injectRequestData(this.exchange, chunk, end);
  }

  resume(): void {
    this.stream.resumeRequest(this.exchange);
  }

  finish(): void {
    this.exchange.requestMs = this.exchange.request!.elapsedMs;
  }

  onAboveHighWatermark(): void {
    this.stream.onRequestAboveHighWatermark?.();
  }

  onBelowLowWatermark(): void {
    this.stream.onRequestBelowLowWatermark?.();
  }
}

class PacedResponse implements PacedHalf {
  private readonly exchange: PacedExchange;
  private readonly stream: Stream;

  constructor(exchange: PacedExchange, stream: Stream) {
    this.exchange = exchange;
    this.stream = stream;
  }

  inject(chunk: Uint8Array, end: boolean): void {
    const { exchange, stream } = this;
    const { trailers } = exchange;
    if (chunk.length > 0 || trailers === null) stream.injectResponseData(exchange, chunk, end && trailers === null);
    if (end && trailers !== null) stream.injectResponseTrailers!(exchange, trailers);
  }

  resume(): void {
    this.stream.resumeResponse(this.exchange);
  }

  finish(): void {
    this.exchange.describe();
  }

  onAboveHighWatermark(): void {
    this.stream.onResponseAboveHighWatermark();
  }

  onBelowLowWatermark(): void {
    this.stream.onResponseBelowLowWatermark();
  }
}
