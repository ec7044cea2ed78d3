import { latin1, noBytes } from '../../core/bytes.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { grpcStatusFromHttp } from '../../observe/format/grpc-status.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { encodeGrpcMessage } from '../grpc/grpc-message.ts';
import { isGrpcResponse } from '../grpc/grpc-response.ts';
import { everyMethod, MethodStatsTable, type MethodStats } from '../grpc/method-stats.ts';
import { Base64Decoder } from './base64.ts';
import { TextFrames } from './text-frames.ts';
import { trailersFrame } from './trailers-frame.ts';

const binaryTypes: readonly string[] = ['application/grpc-web', 'application/grpc-web+proto'];
const textTypes: readonly string[] = ['application/grpc-web-text', 'application/grpc-web-text+proto'];

/** Bytes of an answer that is no gRPC which become its `grpc-message`; Envoy's `MAX_BUFFERED_PLAINTEXT_LENGTH`. */
const messageBytesMax = 16_384;

/** `envoy.filters.http.grpc_web`: gRPC for browsers, which can neither send binary streams nor see trailers. */
export class GrpcWebFilter implements FilterFactory {
  private readonly methods: MethodStatsTable;

  constructor() {
    this.methods = new MethodStatsTable('grpc-web', everyMethod);
  }

  create(): HttpFilter {
    return new GrpcWebCall(this.methods);
  }
}

/** One stream. Source: Envoy `grpc_web_filter.cc`. */
class GrpcWebCall implements HttpFilter {
  private readonly methods: MethodStatsTable;
  private isGrpcWeb: boolean;
  private stats: MethodStats | null;
  /** Null: the request is binary. */
  private requestText: Base64Decoder | null;
  /** Null: a binary response is wanted. */
  private responseText: TextFrames | null;
  /** Head of an answer that is no gRPC: it waits for its body, which becomes the message. */
  private foreign: ResponseHead | null;
  private foreignBody: string;

  constructor(methods: MethodStatsTable) {
    this.methods = methods;
    this.isGrpcWeb = false;
    this.stats = null;
    this.requestText = null;
    this.responseText = null;
    this.foreign = null;
    this.foreignBody = '';
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const { headers } = head;
    const type = headers.get('content-type');
    if (type === undefined || head.path === '') return Verdict.Continue;
    if (textTypes.includes(type)) this.requestText = new Base64Decoder();
    else if (!binaryTypes.includes(type)) return Verdict.Continue;
    this.isGrpcWeb = true;
    const cluster = stream.clusterStats;
    if (cluster !== null) this.stats = this.methods.find(cluster, head.path);
    if (textTypes.includes(headers.get('accept') ?? '')) this.responseText = new TextFrames();
    headers.remove('content-length');
    headers.set('content-type', 'application/grpc');
    headers.set('te', 'trailers');
    if (!headers.has('grpc-accept-encoding')) headers.add('grpc-accept-encoding', 'identity');
    return Verdict.Continue;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const { requestText } = this;
    if (requestText === null) return Verdict.Continue;
    const bytes = requestText.decode(chunk);
    if (bytes === null || (end && !requestText.isAtEnd)) {
      stream.reply({
        status: 400,
        body: 'Bad gRPC-web request, invalid base64 data.',
        details: bytes === null ? 'grpc_base_64_decode_failed' : 'grpc_base_64_decode_failed_bad_size',
      });
    } else if (bytes.length > 0 || end) stream.injectRequestData(this, bytes, end);
    return Verdict.Take;
  }

  onResponseHead(_stream: Stream, head: ResponseHead, end: boolean): Verdict {
    if (!this.isGrpcWeb) return Verdict.Continue;
    const { headers } = head;
    this.stats?.status(headers.get('grpc-status'));
    const isForeign = !end && !isGrpcResponse(head, end) && !isGrpcWebResponse(head);
    headers.remove('content-length');
    headers.set(
      'content-type',
      this.responseText === null ? 'application/grpc-web+proto' : 'application/grpc-web-text+proto',
    );
    if (!isForeign) return Verdict.Continue;
    this.foreign = head;
    return Verdict.StopAndBuffer;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.foreign !== null) {
      this.keepForeign(chunk, end);
      if (end) {
        this.describeForeign(this.foreign);
        stream.injectResponseData(this, noBytes, true);
        stream.resumeResponse(this);
      }
      return Verdict.Take;
    }
    if (this.responseText === null) return Verdict.Continue;
    const text = this.responseText.encode(chunk);
    if (text.length > 0 || end) stream.injectResponseData(this, text, end);
    return Verdict.Take;
  }

  onResponseTrailers(stream: Stream, trailers: Headers): Verdict {
    if (!this.isGrpcWeb) return Verdict.Continue;
    this.stats?.status(trailers.get('grpc-status'));
    if (this.foreign !== null) {
      this.describeForeign(this.foreign);
      return Verdict.Continue;
    }
    const frame = trailersFrame(trailers);
    clear(trailers);
    stream.injectResponseData(this, this.responseText === null ? frame : this.responseText.finish(frame), false);
    return Verdict.Continue;
  }

  /** A body that comes at once is kept whole. */
  private keepForeign(chunk: Uint8Array, end: boolean): void {
    const { length } = this.foreignBody;
    const size = end && length === 0 ? chunk.length : Math.min(chunk.length, messageBytesMax - length);
    // As text, so that many small pieces do not hold the memory that each was read into.
    if (size > 0) this.foreignBody += latin1(chunk, 0, size);
  }

  private describeForeign(head: ResponseHead): void {
    head.headers.set('grpc-message', encodeGrpcMessage(this.foreignBody));
    head.headers.set('grpc-status', String(grpcStatusFromHttp(head.status)));
    head.headers.set('content-length', '0');
    this.foreign = null;
  }
}

/** 200 and binary gRPC-Web, parameters and case aside: the upstream speaks gRPC-Web itself. */
function isGrpcWebResponse(head: ResponseHead): boolean {
  if (head.status !== 200) return false;
  const type = head.headers.get('content-type') ?? '';
  const end = type.indexOf(';');
  return binaryTypes.includes((end < 0 ? type : type.slice(0, end)).trimEnd().toLowerCase());
}

function clear({ names, values, rawNames }: Headers): void {
  names.length = 0;
  values.length = 0;
  if (rawNames !== null) rawNames.length = 0;
}
