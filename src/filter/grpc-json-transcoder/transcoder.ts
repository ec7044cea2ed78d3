import { noBytes } from '../../core/bytes.ts';
import { isGrpcRequest } from '../../core/grpc-request.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { Gauge } from '../../observe/stats/stats.ts';
import { wireText } from '../../route/wire-text.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { isGrpcResponse } from '../grpc/grpc-response.ts';
import { httpStatusOf, invalidStatus, readGrpcStatus, statusMessage } from './response/grpc-outcome.ts';
import { HttpBodyResponse } from './response/http-body-response.ts';
import type { NoCall, TranscoderSettings } from './transcoder-settings.ts';
import { Transcoding } from './transcoding.ts';

const early = 'early_grpc_json_transcode_failure';
const failure = 'grpc_json_transcode_failure';

/**
 * `envoy.filters.http.grpc_json_transcoder`: HTTP requests with JSON become gRPC calls, as google.api.http annotations
 * say, and the answers become JSON again. One object for all streams; only those that are translated are remembered.
 */
export class TranscoderFilter implements HttpFilter, FilterFactory {
  private readonly settings: TranscoderSettings | null;
  private readonly filterName: string;
  private readonly active: Map<Stream, Transcoding>;
  private readonly requestBytes: Gauge;
  private readonly responseBytes: Gauge;

  /** `settings`: null: off, unless a route has others. */
  constructor(settings: TranscoderSettings | null, context: FilterContext) {
    this.settings = settings;
    this.filterName = context.filterName;
    this.active = new Map();
    this.requestBytes = context.stats.gauge('transcoder_request_buffer_bytes');
    this.responseBytes = context.stats.gauge('transcoder_response_buffer_bytes');
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    const ofRoute = stream.perFilterConfig(this.filterName) as TranscoderSettings | null | undefined;
    const settings = ofRoute === undefined ? this.settings : ofRoute;
    if (settings === null || isGrpcRequest(head)) return Verdict.Continue;
    const call = settings.call(head);
    if ('code' in call) return refuse(stream, settings, call) ? Verdict.Stop : Verdict.Continue;
    const { method, request } = call;
    if (request.error !== '') {
      replyBadRequest(stream, request.error, failure);
      return Verdict.Stop;
    }
    const transcoding = new Transcoding(settings, method, request);
    this.active.set(stream, transcoding);
    rewriteHead(head, method.path);
    if (!settings.data.keepsRoute) stream.clearRoute();
    if (!end) return Verdict.Continue;
    request.finish();
    return this.passRequest(stream, transcoding, early, true) ? Verdict.Continue : Verdict.Stop;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const transcoding = this.translated(stream);
    if (transcoding === null) return Verdict.Continue;
    const { request, settings } = transcoding;
    const size = request.isUnlimited ? 0 : request.heldSize + chunk.length;
    if (exceeds(size, settings.data.requestBodyMax, stream)) {
      transcoding.isOver = true;
      stream.reply({
        status: 413,
        body: "Request rejected because the transcoder's internal buffer size exceeds the configured limit.",
        details: `${failure}{request_buffer_size_limit_reached}`,
      });
      return Verdict.Take;
    }
    request.push(chunk);
    if (end) request.finish();
    this.passRequest(stream, transcoding, failure, end);
    return Verdict.Take;
  }

  onRequestTrailers(stream: Stream, _trailers: Headers): Verdict {
    const transcoding = this.translated(stream);
    if (transcoding === null) return Verdict.Continue;
    transcoding.request.finish();
    return this.passRequest(stream, transcoding, failure, false) ? Verdict.Continue : Verdict.Stop;
  }

  onResponseHead(stream: Stream, head: ResponseHead, end: boolean): Verdict {
    const transcoding = this.translated(stream);
    if (transcoding === null) return Verdict.Continue;
    if (!isGrpcResponse(head, end)) {
      transcoding.isOver = true;
      return Verdict.Continue;
    }
    const { settings, method } = transcoding;
    const response = settings.response(method);
    transcoding.response = response;
    transcoding.responseHead = head;
    if (!end || method.isServerStream) head.headers.set('content-type', streamType(transcoding));
    head.headers.remove('content-length');
    if (end) {
      this.finishResponse(stream, transcoding, head.headers, true);
      return Verdict.Continue;
    }
    transcoding.isHeadHeld = !method.isServerStream || method.responseBody !== null;
    return transcoding.isHeadHeld ? Verdict.StopAndBuffer : Verdict.Continue;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const transcoding = this.translated(stream);
    if (transcoding === null) return Verdict.Continue;
    const response = transcoding.response!;
    const { settings, method } = transcoding;
    transcoding.hasBody = true;
    if (exceeds(response.heldSize + chunk.length, settings.data.responseBodyMax, stream)) {
      transcoding.isOver = true;
      stream.reply({
        status: 500,
        body: "Response not transcoded because the transcoder's internal buffer size exceeds the configured limit.",
        details: `${failure}{response_buffer_size_limit_reached}`,
      });
      return Verdict.Take;
    }
    response.push(chunk);
    if (end) response.finish();
    if (rejectResponse(stream, transcoding)) return Verdict.Take;
    if (method.isServerStream || end) this.passResponse(stream, transcoding, end);
    this.tellResponse(transcoding);
    return Verdict.Take;
  }

  onResponseTrailers(stream: Stream, trailers: Headers): Verdict {
    const transcoding = this.translated(stream);
    if (transcoding === null) return Verdict.Continue;
    return this.finishResponse(stream, transcoding, trailers, false) ? Verdict.Continue : Verdict.Stop;
  }

  onComplete(stream: Stream): void {
    if (this.active.size === 0) return;
    const transcoding = this.active.get(stream);
    if (transcoding === undefined) return;
    this.active.delete(stream);
    this.requestBytes.add(-transcoding.requestHeld);
    this.responseBytes.add(-transcoding.responseHeld);
  }

  /** Null: the stream passes as it is. */
  private translated(stream: Stream): Transcoding | null {
    if (this.active.size === 0) return null;
    const transcoding = this.active.get(stream);
    return transcoding === undefined || transcoding.isOver ? null : transcoding;
  }

  /** Gives on what of the request is ready. False: there was a mistake, and it has been answered. */
  private passRequest(stream: Stream, transcoding: Transcoding, details: string, end: boolean): boolean {
    const { request } = transcoding;
    if (request.error !== '') {
      transcoding.isOver = true;
      replyBadRequest(stream, request.error, details);
      return false;
    }
    const frames = request.take();
    const last = frames.length - 1;
    for (let i = 0; i < last; i++) stream.injectRequestData(this, frames[i], false);
    if (last >= 0) stream.injectRequestData(this, frames[last], end);
    else if (end) stream.injectRequestData(this, noBytes, true);
    const held = end ? 0 : request.heldSize;
    if (held !== transcoding.requestHeld) {
      this.requestBytes.add(held - transcoding.requestHeld);
      transcoding.requestHeld = held;
    }
    return true;
  }

  /** Gives on what of the response is ready, and its head before it. */
  private passResponse(stream: Stream, transcoding: Transcoding, end: boolean): void {
    const response = transcoding.response!;
    if (transcoding.isHeadHeld && response instanceof HttpBodyResponse) {
      if (!response.hasBegun && !end) return;
      describeBody(transcoding.responseHead!, response);
    }
    const bytes = response.take();
    if (bytes !== null || end) stream.injectResponseData(this, bytes ?? noBytes, end);
    if (!transcoding.isHeadHeld) return;
    transcoding.isHeadHeld = false;
    stream.resumeResponse(this);
  }

  /**
   * The response is complete; `trailers` say how the call went. `isOnlyTrailers`: they are its head.
   * @returns false: there was a mistake, and it has been answered
   */
  private finishResponse(
    stream: Stream,
    transcoding: Transcoding,
    trailers: Headers,
    isOnlyTrailers: boolean,
  ): boolean {
    const response = transcoding.response!;
    const head = transcoding.responseHead!;
    const grpcStatus = readGrpcStatus(trailers);
    if (this.convertStatus(stream, transcoding, grpcStatus, trailers, isOnlyTrailers)) return true;
    response.finish();
    if (rejectResponse(stream, transcoding)) return false;
    if (response instanceof HttpBodyResponse && transcoding.isHeadHeld) describeBody(head, response);
    const bytes = response.take();
    if (bytes !== null) stream.injectResponseData(this, bytes, isOnlyTrailers);
    if (isOnlyTrailers || !transcoding.method.isServerStream) {
      head.status = grpcStatus === null || grpcStatus === invalidStatus ? 503 : httpStatusOf(grpcStatus);
      if (!isOnlyTrailers) copyStatus(head.headers, grpcStatus, trailers);
      dropTrailer(stream, head.headers);
      if (!transcoding.method.isServerStream) head.headers.set('content-length', String(bytes?.length ?? 0));
    }
    transcoding.isHeadHeld = false;
    this.tellResponse(transcoding);
    return true;
  }

  /** `convert_grpc_status`: a failed call without a body gets its google.rpc.Status for one. */
  private convertStatus(
    stream: Stream,
    transcoding: Transcoding,
    grpcStatus: number | null,
    trailers: Headers,
    isOnlyTrailers: boolean,
  ): boolean {
    if (transcoding.hasBody || grpcStatus === null || grpcStatus === invalidStatus || grpcStatus === 0) return false;
    const { settings } = transcoding;
    if (!settings.data.convertsStatus) return false;
    const json = settings.statusJson(statusMessage(grpcStatus, trailers));
    if (json === null) return false;
    const head = transcoding.responseHead!;
    if (isOnlyTrailers) {
      // The body says it all.
      head.headers.remove('grpc-status');
      head.headers.remove('grpc-message');
      head.headers.remove('grpc-status-details-bin');
    }
    if (isOnlyTrailers || transcoding.isHeadHeld) {
      head.status = httpStatusOf(grpcStatus);
      dropTrailer(stream, head.headers);
      head.headers.set('content-type', 'application/json');
      head.headers.set('content-length', String(json.length));
    }
    stream.injectResponseData(this, json, isOnlyTrailers);
    transcoding.isHeadHeld = false;
    return true;
  }

  private tellResponse(transcoding: Transcoding): void {
    const held = transcoding.response!.heldSize;
    if (held === transcoding.responseHeld) return;
    this.responseBytes.add(held - transcoding.responseHeld);
    transcoding.responseHeld = held;
  }
}

/** Answers a request that is no call, where it may not pass as it is. */
function refuse(stream: Stream, { data }: TranscoderSettings, { code, message }: NoCall): boolean {
  const isRefused = code === 'NOT_FOUND' ? data.rejectsUnknownMethods : data.unknownParameters === 'reject';
  if (!isRefused) return false;
  // The path in the message is wire text already, and so are the names.
  stream.reply({ status: code === 'NOT_FOUND' ? 404 : 400, body: message, details: `${early}{${code}}` });
  return true;
}

function replyBadRequest(stream: Stream, error: string, details: string): void {
  stream.reply({ status: 400, body: wireText(error), details: `${details}{INVALID_ARGUMENT}` });
}

/** True: the response cannot be translated, and that has been answered. */
function rejectResponse(stream: Stream, transcoding: Transcoding): boolean {
  const { error, isFramingError } = transcoding.response!;
  if (error === '') return false;
  transcoding.isOver = true;
  const code = isFramingError ? 'INTERNAL' : 'INVALID_ARGUMENT';
  stream.reply({ status: 502, body: wireText(error), details: `${failure}{${code}}` });
  return true;
}

function rewriteHead(head: RequestHead, path: string): void {
  const { headers } = head;
  headers.remove('content-length');
  headers.set('content-type', 'application/grpc');
  headers.set('x-envoy-original-path', head.path);
  headers.add('x-envoy-original-method', head.method);
  headers.set('te', 'trailers');
  head.path = path;
  head.method = 'POST';
}

function streamType({ method, settings }: Transcoding): string {
  return method.isServerStream && settings.data.framing === 'events' ? 'text/event-stream' : 'application/json';
}

/** The first HttpBody names the type; without one, the head's stays. */
function describeBody(head: ResponseHead, response: HttpBodyResponse): void {
  if (response.contentType !== null) head.headers.set('content-type', response.contentType);
}

/** The client of a unary call learns the status from the head. */
function copyStatus(headers: Headers, grpcStatus: number | null, trailers: Headers): void {
  if (grpcStatus !== null && grpcStatus !== invalidStatus) headers.set('grpc-status', String(grpcStatus));
  const message = trailers.get('grpc-message');
  if (message !== undefined) headers.set('grpc-message', message);
}

/** HTTP/1 clients get no trailers, so none are announced to them. */
function dropTrailer(stream: Stream, headers: Headers): void {
  if (stream.requestHead.version < HttpVersion.Http2) headers.remove('trailer');
}

/** `max`: -1: what the connection may hold. */
function exceeds(held: number, max: number, stream: Stream): boolean {
  const limit = max >= 0 ? max : stream.bufferLimit;
  return held > limit && (max >= 0 || limit > 0);
}
