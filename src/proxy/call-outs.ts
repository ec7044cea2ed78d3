import type { Clusters } from '../cluster/cluster.ts';
import type { GrpcMethod } from '../cluster/grpc/grpc-call.ts';
import { GrpcClient } from '../cluster/grpc/grpc-client.ts';
import { GrpcCode } from '../cluster/grpc/grpc-status.ts';
import { HttpCall, type HttpCallUser as WholeUser } from '../cluster/http-call.ts';
import type { Clock, Timers } from '../core/clock.ts';
import type { RequestHead } from '../core/head.ts';
import type {
  CallOut,
  CallOuts,
  GrpcCallOptions,
  GrpcCallUser,
  HttpCallOptions,
  HttpCallUser,
} from '../filter/call-outs.ts';
import { RetriedCall } from './retried-call.ts';
import { grpcSpan, httpSpan } from './trace/call-span.ts';

/** What calls need of their worker. */
export interface CallOutContext {
  readonly clusters: Clusters;
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  random(): number;
  /** The address of this machine, which calls say they are forwarded for. */
  readonly localAddress: string;
}

const nobody: CallOut = { cancel() {} };

/** Calls of a worker's filters, over its clusters. */
export class ClusterCallOuts implements CallOuts {
  private readonly context: CallOutContext;

  constructor(context: CallOutContext) {
    this.context = context;
  }

  http(
    clusterName: string,
    head: RequestHead,
    body: Uint8Array | null,
    { timeoutMs, bodyBytesMax, saysForWhom, retries = null, trace = null }: HttpCallOptions,
    user: HttpCallUser,
  ): CallOut {
    const { clusters, clock, timers, localAddress } = this.context;
    const cluster = clusters.get(clusterName);
    if (cluster === undefined) {
      user.onFailure(`there is no cluster ${clusterName}`);
      return nobody;
    }
    const { headers } = head;
    // As Envoy's own requests.
    headers.set('x-envoy-internal', 'true');
    if (saysForWhom) headers.set('x-forwarded-for', localAddress);
    const tryMs = retries === null ? timeoutMs : shorter(timeoutMs, retries.tryTimeoutMs);
    if (tryMs > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(tryMs));
    if (body !== null) headers.set('content-length', String(body.length));
    const span = httpSpan(trace, cluster, headers);
    const settings = { clock, timers, random: () => this.context.random(), timeoutMs, bodyBytesMax, ...span?.watching };
    const heard: WholeUser = {
      onAnswer: (answer, bytes) => {
        if (span === null) user.onAnswer({ head: answer, body: bytes });
        else span.answered(answer, (statusText) => user.onAnswer({ head: answer, body: bytes, statusText }, span.span));
      },
      onFailure: (reason) => {
        if (span === null) user.onFailure(reason);
        else span.failed((statusText) => user.onFailure(reason, span.span, statusText));
      },
    };
    const call =
      retries === null
        ? new HttpCall(cluster, head, body, settings, heard)
        : new RetriedCall(cluster, head, body, settings, retries, heard);
    call.start();
    return span === null ? call : span.cancelable(call);
  }

  grpc(
    clusterName: string,
    path: string,
    message: Uint8Array,
    { timeoutMs, authority, metadata, messageBytesMax, skipsOwnHeaders, trace = null }: GrpcCallOptions,
    user: GrpcCallUser,
  ): CallOut {
    const { clusters, clock, timers } = this.context;
    const cluster = clusters.get(clusterName);
    if (cluster === undefined) {
      user.onFailure(GrpcCode.Unavailable, `there is no cluster ${clusterName}`);
      return nobody;
    }
    const client = new GrpcClient(cluster, clock, timers, () => this.context.random());
    const method: GrpcMethod<Uint8Array, Uint8Array> = { path, encode: asTheyAre, decode: asTheyAre };
    let answer: Uint8Array | null = null;
    const span = grpcSpan(trace, path, cluster, authority);
    const own: [string, string][] = skipsOwnHeaders
      ? []
      : [
          ['x-envoy-internal', 'true'],
          ['x-forwarded-for', this.context.localAddress],
          ...(timeoutMs > 0 ? [['x-envoy-expected-rq-timeout-ms', String(timeoutMs)] as [string, string]] : []),
        ];
    const limit = messageBytesMax > 0 ? { messageBytesMax } : {};
    const call = client.ask(
      method,
      message,
      {
        onMessage: (bytes) => (answer = bytes),
        onStatus: ({ code, message: reason }) => {
          span?.status(code);
          if (code === GrpcCode.Ok && answer !== null) user.onAnswer(answer, span?.span);
          else user.onFailure(code === GrpcCode.Ok ? GrpcCode.Internal : code, reason);
          span?.end();
        },
      },
      { timeoutMs, authority, metadata: [...own, ...(span?.told ?? []), ...metadata], ...limit },
    );
    return span === null ? call : span.cancelable(call);
  }
}

/** 0: no limit. */
function shorter(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

function asTheyAre(bytes: Uint8Array): Uint8Array {
  return bytes;
}
