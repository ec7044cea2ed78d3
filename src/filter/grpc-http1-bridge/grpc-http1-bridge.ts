import { isGrpcRequest } from '../../core/grpc-request.ts';
import { HttpVersion, type RequestHead, type ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { frameHeadBytes, writeFrameHead } from '../grpc/grpc-frames.ts';
import type { GrpcHttp1BridgeData } from './grpc-http1-bridge-data.ts';

/**
 * `envoy.filters.http.grpc_http1_bridge`: unary gRPC for HTTP/1 clients, which see no trailers: the status moves into
 * the head, and a failure becomes a 503.
 */
export class GrpcHttp1BridgeFilter implements FilterFactory {
  private readonly data: GrpcHttp1BridgeData;

  constructor(data: GrpcHttp1BridgeData) {
    this.data = data;
  }

  create(): HttpFilter {
    return new BridgedCall(this.data);
  }
}

/** One stream. Source: Envoy `http1_bridge_filter.cc`. */
class BridgedCall implements HttpFilter {
  private readonly data: GrpcHttp1BridgeData;
  private isBridged: boolean;
  /** Head of the one frame that the request becomes, filled in when its length is known. Null: it has frames. */
  private frameHead: Uint8Array | null;
  private requestBytes: number;
  /** Head that waits for the trailers. */
  private response: ResponseHead | null;
  private responseBytes: number;
  /** Bytes of the response's frame head that are still to be taken off. */
  private strip: number;

  constructor(data: GrpcHttp1BridgeData) {
    this.data = data;
    this.isBridged = false;
    this.frameHead = null;
    this.requestBytes = 0;
    this.response = null;
    this.responseBytes = 0;
    this.strip = 0;
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    if (head.path === '') return Verdict.Continue;
    const { headers } = head;
    const isUpgraded = this.data.upgradeProtobuf && headers.get('content-type') === 'application/x-protobuf';
    if (isUpgraded) {
      headers.set('content-type', 'application/grpc');
      headers.remove('content-length');
      stream.clearRoute();
    }
    if (head.version >= HttpVersion.Http2 || !isGrpcRequest(head)) return Verdict.Continue;
    this.isBridged = true;
    const query = this.data.ignoreQuery ? head.path.indexOf('?') : -1;
    if (query >= 0) head.path = head.path.slice(0, query);
    if (!isUpgraded) return Verdict.Continue;
    this.strip = frameHeadBytes;
    if (end) return Verdict.Continue;
    this.frameHead = new Uint8Array(frameHeadBytes);
    stream.injectRequestData(this, this.frameHead, false);
    return Verdict.StopAndBuffer;
  }

  onRequestData(_stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.frameHead === null) return Verdict.Continue;
    this.requestBytes += chunk.length;
    if (!end) return Verdict.StopAndBuffer;
    writeFrameHead(this.frameHead, 0, this.requestBytes);
    return Verdict.Continue;
  }

  onRequestTrailers(): Verdict {
    if (this.frameHead !== null) writeFrameHead(this.frameHead, 0, this.requestBytes);
    return Verdict.Continue;
  }

  onResponseHead(_stream: Stream, head: ResponseHead, end: boolean): Verdict {
    if (!this.isBridged || end) return Verdict.Continue;
    this.response = head;
    return Verdict.StopAndBuffer;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.response === null || end) return Verdict.Continue;
    if (this.strip === 0) {
      this.responseBytes += chunk.length;
      return Verdict.StopAndBuffer;
    }
    const stripped = Math.min(this.strip, chunk.length);
    this.strip -= stripped;
    if (stripped < chunk.length) {
      this.responseBytes += chunk.length - stripped;
      stream.injectResponseData(this, chunk.subarray(stripped), false);
    }
    return Verdict.Take;
  }

  onResponseTrailers(_stream: Stream, trailers: Headers): Verdict {
    const head = this.response;
    if (head === null) return Verdict.Continue;
    const { headers } = head;
    const status = trailers.get('grpc-status');
    if (status !== undefined) {
      if (!/^0+$/.test(status)) head.status = 503;
      headers.set('grpc-status', status);
    }
    const message = trailers.get('grpc-message');
    if (message !== undefined) headers.set('grpc-message', message);
    headers.set('content-length', String(this.responseBytes));
    return Verdict.Continue;
  }
}
