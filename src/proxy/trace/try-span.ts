import type { Host } from '../../cluster/cluster.ts';
import type { Failure } from '../../core/failure.ts';
import type { ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { Span } from '../../observe/trace/span.ts';
import { tagGrpcStatus, tagOutcome } from '../../observe/trace/span-tags.ts';
import type { StreamTrace } from './stream-trace.ts';

/** What a try belongs to. */
export interface TracedForwarding {
  readonly stream: {
    readonly outcome: Outcome;
    readonly chain: { readonly router: { readonly startChildSpan?: boolean } };
  };
}

/** How a try went, as its span tells it. */
export class TrySpan {
  readonly span: Span;
  /** Bits of ResponseFlag. */
  flags: number;
  private readonly trace: StreamTrace;
  private readonly outcome: Outcome;
  private status: number;
  private protocol: string;

  /** Null: tries have none. */
  static of(trace: StreamTrace, { stream }: TracedForwarding): TrySpan | null {
    const { outcome, chain } = stream;
    const span = trace.beginTry(outcome, chain.router.startChildSpan === true);
    return span === null ? null : new TrySpan(trace, span, outcome);
  }

  constructor(trace: StreamTrace, span: Span, outcome: Outcome) {
    this.span = span;
    this.flags = 0;
    this.trace = trace;
    this.outcome = outcome;
    this.status = 0;
    this.protocol = '';
  }

  reached(protocol: string): void {
    this.protocol = protocol;
  }

  answered({ status, headers }: ResponseHead): void {
    this.status = status;
    if (this.span.isSampled) tagGrpcStatus(this.span, headers);
  }

  trailers(trailers: Headers): void {
    if (this.span.isSampled) tagGrpcStatus(this.span, trailers);
  }

  broke(failure: Failure): void {
    this.flags |= failure.kind.flag;
    this.span.tag('error', 'true');
    this.span.tag('error.reason', failure.kind.reason);
  }

  canceled(): void {
    this.span.tag('canceled', 'true');
  }

  /** Once. Source: Envoy `HttpTracerUtility::finalizeUpstreamSpan`. */
  finish(host: Host | null): void {
    const { span, outcome } = this;
    if (!span.isSampled) return;
    span.tag('http.protocol', this.protocol === '' ? '-' : this.protocol);
    if (host !== null) {
      span.tag('upstream_address', host.addressText);
      span.tag('peer.address', host.addressText);
    }
    tagOutcome(span, this.status, this.flags, outcome.upstreamClusterRaw, outcome.upstreamCluster);
    this.trace.report(span, outcome);
  }
}
