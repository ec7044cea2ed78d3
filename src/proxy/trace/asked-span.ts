import type { Cluster, Host } from '../../cluster/cluster.ts';
import type { Failure } from '../../core/failure.ts';
import { HttpVersion } from '../../core/head.ts';
import { toBytes } from '../../observe/format/byte-string.ts';
import type { Span } from '../../observe/trace/span.ts';
import { tagOutcome } from '../../observe/trace/span-tags.ts';

/** Who takes the span when it is over. */
export interface SpanEnd {
  endCall(span: Span): void;
}

/** A request of our own that a stream led to: what its span tells of it. It may outlive that stream. */
export class AskedSpan {
  readonly span: Span;
  private readonly trace: SpanEnd;
  private readonly cluster: Cluster;
  private host: Host | null;
  private flags: number;
  private status: number;
  private protocol: string;
  private isOver: boolean;

  constructor(span: Span, trace: SpanEnd, cluster: Cluster) {
    this.span = span;
    this.trace = trace;
    this.cluster = cluster;
    this.host = null;
    this.flags = 0;
    this.status = 0;
    this.protocol = '-';
    this.isOver = false;
  }

  reached(host: Host, version: HttpVersion | null): void {
    this.host = host;
    this.protocol = version === HttpVersion.Http2 ? 'HTTP/2' : 'HTTP/1.1';
  }

  answered(status: number): void {
    this.status = status;
  }

  broke(failure: Failure, host: Host | null): void {
    this.host = host;
    this.flags |= failure.kind.flag;
  }

  /** What comes after the first time is nothing. */
  finish(): void {
    const { span, cluster, host } = this;
    if (this.isOver) return;
    this.isOver = true;
    if (span.isSampled) {
      span.tag('http.protocol', this.protocol);
      if (host !== null) {
        span.tag('upstream_address', host.addressText);
        span.tag('peer.address', host.addressText);
      }
      tagOutcome(span, this.status, this.flags, toBytes(cluster.name), toBytes(cluster.statName));
    }
    this.trace.endCall(span);
  }
}
