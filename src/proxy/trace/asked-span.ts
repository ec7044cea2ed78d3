import type { Cluster, Host } from '../../cluster/cluster.ts';
import type { Clock } from '../../core/clock.ts';
import type { Failure } from '../../core/failure.ts';
import { toBytes } from '../../observe/format/byte-string.ts';
import type { Span } from '../../observe/trace/span.ts';
import { tagOutcome } from '../../observe/trace/span-tags.ts';
import type { Tracer } from '../../observe/trace/tracer.ts';

/** A request of our own that a stream led to: what its span tells of it. It may outlive that stream. */
export class AskedSpan {
  readonly span: Span;
  private readonly tracer: Tracer;
  private readonly clock: Clock;
  private readonly cluster: Cluster;
  private flags: number;
  private status: number;
  private protocol: string;

  constructor(span: Span, tracer: Tracer, clock: Clock, cluster: Cluster) {
    this.span = span;
    this.tracer = tracer;
    this.clock = clock;
    this.cluster = cluster;
    this.flags = 0;
    this.status = 0;
    this.protocol = '';
  }

  reached(protocol: string): void {
    this.protocol = protocol;
  }

  answered(status: number): void {
    this.status = status;
  }

  broke(failure: Failure): void {
    this.flags |= failure.kind.flag;
  }

  /** Once. */
  finish(host: Host | null): void {
    const { span, cluster } = this;
    if (!span.isSampled) return;
    span.tag('http.protocol', this.protocol === '' ? '-' : this.protocol);
    if (host !== null) {
      span.tag('upstream_address', host.addressText);
      span.tag('peer.address', host.addressText);
    }
    tagOutcome(span, this.status, this.flags, toBytes(cluster.name), toBytes(cluster.statName));
    span.endEpochMs = this.clock.epochMs;
    this.tracer.report(span);
  }
}
