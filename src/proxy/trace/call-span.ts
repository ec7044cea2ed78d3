import { reasonPhrase } from '../../codec/h1/status-line.ts';
import type { Cluster, Host } from '../../cluster/cluster.ts';
import type { HttpCallSettings } from '../../cluster/http-call.ts';
import type { Failure } from '../../core/failure.ts';
import type { HttpVersion, ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import type { CallOut, CallTrace } from '../../filter/call-outs.ts';
import { toBytes } from '../../observe/format/byte-string.ts';
import type { Span } from '../../observe/trace/span.ts';
import { AskedSpan } from './asked-span.ts';

/** Null: it is not traced. The server is told in `headers`. */
export function httpSpan(trace: CallTrace | null, cluster: Cluster, headers: Headers): HttpCallSpan | null {
  const span = trace?.beginCall(`async ${cluster.name} egress`) ?? null;
  if (span === null) return null;
  trace!.tell(span, headers);
  return new HttpCallSpan(new AskedSpan(span, trace!, cluster));
}

/** Null: it is not traced. `path`: `/package.Service/Method`. `authority`: empty: the cluster's name. */
export function grpcSpan(
  trace: CallTrace | null,
  path: string,
  cluster: Cluster,
  authority: string,
): GrpcCallSpan | null {
  const span = trace?.beginCall(`async ${path.slice(1).replace('/', '.')} egress`) ?? null;
  if (span === null) return null;
  span.tag('upstream_cluster', toBytes(cluster.name));
  span.tag('upstream_address', toBytes(authority === '' ? cluster.name : authority));
  span.tag('component', 'proxy');
  return new GrpcCallSpan(trace!, span);
}

/** Where there was nobody to ask. */
const unavailable = 503;

/** A call over HTTP as its span tells it. Source: Envoy `AsyncRequestSharedImpl`. */
class HttpCallSpan {
  /** What the call tells of. */
  readonly watching: Pick<HttpCallSettings, 'onReached' | 'onBroken'>;
  private readonly asked: AskedSpan;
  private failedStatus: number;

  constructor(asked: AskedSpan) {
    this.asked = asked;
    this.failedStatus = unavailable;
    this.watching = {
      onReached: (host: Host, version: HttpVersion | null) => asked.reached(host, version),
      onBroken: (failure: Failure, host: Host | null) => {
        asked.broke(failure, host);
        this.failedStatus = failure.kind.status;
        asked.answered(failure.kind.status);
      },
    };
  }

  get span(): Span {
    return this.asked.span;
  }

  /** `tell`: the user, who may say more; with what the status is called. */
  answered({ status }: ResponseHead, tell: (statusText: string) => void): void {
    this.asked.answered(status);
    tell(reasonPhrase(status));
    this.asked.finish();
  }

  /** As Envoy, which answers itself then. */
  failed(tell: (statusText: string) => void): void {
    tell(reasonPhrase(this.failedStatus));
    this.asked.finish();
  }

  cancelable(call: CallOut): CallOut {
    return {
      cancel: () => {
        this.asked.span.tag('canceled', 'true');
        this.asked.finish();
        call.cancel();
      },
    };
  }
}

/** A call by gRPC as its span tells it. Source: Envoy `AsyncRequestImpl`. */
class GrpcCallSpan {
  readonly span: Span;
  /** What the server is told. */
  readonly told: readonly (readonly [string, string])[];
  private readonly trace: CallTrace;
  private isOver: boolean;

  constructor(trace: CallTrace, span: Span) {
    const headers = new Headers();
    trace.tell(span, headers);
    this.span = span;
    this.told = headers.names.map((name, i) => [name, headers.values[i]] as const);
    this.trace = trace;
    this.isOver = false;
  }

  status(code: number): void {
    this.span.tag('grpc.status_code', String(code));
    if (code !== 0) this.span.tag('error', 'true');
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.trace.endCall(this.span);
  }

  cancelable(call: CallOut): CallOut {
    return {
      cancel: () => {
        this.span.tag('status', 'canceled');
        this.end();
        call.cancel();
      },
    };
  }
}
