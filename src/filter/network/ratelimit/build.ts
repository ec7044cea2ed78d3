import { runtimePercent } from '../../../core/runtime-view.ts';
import { compileFormat } from '../../../observe/format/format.ts';
import type { Formatter } from '../../../observe/format/formatter.ts';
import { Outcome } from '../../../observe/outcome.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';
import type { Descriptor } from '../../../route/rate-limit/descriptors.ts';
import { wireText } from '../../../route/wire-text.ts';
import type { CallOut, CallOuts } from '../../call-outs.ts';
import { writeLimitRequest } from '../../ratelimit/limit-request.ts';
import { readLimitResponse, type LimitResponse } from '../../ratelimit/limit-response.ts';
import { merged } from '../../set-metadata/set-metadata.ts';
import { WireError } from '../../wire/wire-cursor.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
  type NetworkFilterTools,
} from '../network-filter.ts';
import { networkRateLimitKind, type NetworkRateLimitData } from './network-ratelimit-data.ts';

const namespace = 'envoy.filters.network.ratelimit';
const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

class Stats {
  readonly total: Counter;
  readonly ok: Counter;
  readonly overLimit: Counter;
  readonly error: Counter;
  readonly failureModeAllowed: Counter;
  readonly cxClosed: Counter;
  readonly active: Gauge;

  constructor(scope: StatsScope) {
    this.total = scope.counter('total');
    this.ok = scope.counter('ok');
    this.overLimit = scope.counter('over_limit');
    this.error = scope.counter('error');
    this.failureModeAllowed = scope.counter('failure_mode_allowed');
    this.cxClosed = scope.counter('cx_closed');
    this.active = scope.gauge('active');
  }
}

interface Entry {
  readonly key: string;
  readonly value: Formatter;
}

/** The rate limit service of one filter chain. */
class LimitedConnections implements NetworkFilterFactory {
  readonly data: NetworkRateLimitData;
  readonly stats: Stats;
  private readonly tools: NetworkFilterTools;
  private readonly callOuts: CallOuts;
  private readonly descriptors: readonly (readonly Entry[])[];
  private readonly metadata: readonly (readonly [string, string])[];

  constructor(data: NetworkRateLimitData, tools: NetworkFilterTools) {
    if (tools.callOuts === undefined) throw new Error('a rate limit service is to be asked, and nobody can');
    this.data = data;
    this.tools = tools;
    this.callOuts = tools.callOuts;
    this.stats = new Stats(tools.stats.scope('ratelimit').scope(data.statPrefix));
    this.descriptors = data.descriptors.map((entries) =>
      entries.map(({ key, format }) => ({ key: wireText(key), value: compileFormat(format) })),
    );
    this.metadata = data.service.initialMetadata.map(({ key, value }) => [key, value] as const);
  }

  create(): NetworkFilter {
    return new LimitedConnection(this);
  }

  isOn(key: string): boolean {
    return runtimePercent(this.tools.runtime, `ratelimit.tcp_filter_${key}`, 100, Math.random());
  }

  /** `done`: null: there was no answer. */
  ask(stream: FilteredStream, done: (response: LimitResponse | null) => void): CallOut {
    const { service, timeoutMs, domain } = this.data;
    const { authority, maxReceiveMessageLength: messageBytesMax, skipEnvoyHeaders: skipsOwnHeaders } = service;
    const options = { timeoutMs, authority, metadata: this.metadata, messageBytesMax, skipsOwnHeaders };
    const question = writeLimitRequest(wireText(domain), this.descriptorsOf(stream));
    return this.callOuts.grpc(service.cluster, path, question, options, {
      onAnswer: (message) => done(read(message)),
      onFailure: () => done(null),
    });
  }

  private descriptorsOf(stream: FilteredStream): Descriptor[] {
    const outcome = new Outcome();
    outcome.peer = stream.peer;
    stream.notes.describe(outcome);
    return this.descriptors.map((entries) => ({
      entries: entries.map(({ key, value }) => ({ key, value: value.format(outcome) })),
      hits: 1,
      limit: null,
    }));
  }
}

function read(message: Uint8Array): LimitResponse | null {
  try {
    return readLimitResponse(message);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

/** `envoy.filters.network.ratelimit`: whether a connection is one too many is asked when it comes, and bytes wait. */
class LimitedConnection implements NetworkFilter {
  private readonly filter: LimitedConnections;
  private state: 'new' | 'asking' | 'over';
  private call: CallOut | null;

  constructor(filter: LimitedConnections) {
    this.filter = filter;
    this.state = 'new';
    this.call = null;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    const { filter } = this;
    if (!filter.isOn('enabled')) return NetworkVerdict.Continue;
    this.state = 'asking';
    filter.stats.active.inc();
    filter.stats.total.inc();
    let isWaiting = false;
    let passes = false;
    const call = filter.ask(stream, (response) => {
      this.call = null;
      this.end();
      passes = this.take(stream, response);
      if (passes && isWaiting) stream.proceed();
    });
    isWaiting = true;
    if (this.isAsking) this.call = call;
    return passes ? NetworkVerdict.Continue : NetworkVerdict.Stop;
  }

  onClosed(): void {
    if (!this.isAsking) return;
    this.call?.cancel();
    this.end();
  }

  private get isAsking(): boolean {
    return this.state === 'asking';
  }

  private end(): void {
    this.state = 'over';
    this.filter.stats.active.dec();
  }

  /** Whether the connection goes on. */
  private take(stream: FilteredStream, response: LimitResponse | null): boolean {
    const { filter } = this;
    const { stats, data } = filter;
    if (response === null) {
      stats.error.inc();
      if (data.failureModeDeny) return this.refuse(stream, 'ratelimit_error_failure_mode_connection_close');
      stats.failureModeAllowed.inc();
      return true;
    }
    this.note(stream, response.metadata);
    if (!response.isOverLimit) {
      stats.ok.inc();
      return true;
    }
    stats.overLimit.inc();
    return !filter.isOn('enforcing') || this.refuse(stream, 'ratelimit_close_over_limit');
  }

  private refuse(stream: FilteredStream, reason: string): false {
    this.filter.stats.cxClosed.inc();
    stream.close(reason);
    return false;
  }

  private note({ notes }: FilteredStream, metadata: LimitResponse['metadata']): void {
    if (metadata === null || Object.keys(metadata).length === 0) return;
    const there = notes.dynamicMetadata.get(namespace);
    notes.dynamicMetadata.set(namespace, there === undefined ? metadata : merged(there, metadata));
  }
}

export const networkRateLimitBuilder: NetworkFilterBuilder = {
  kind: networkRateLimitKind,
  build: (data, tools) => new LimitedConnections(data as NetworkRateLimitData, tools),
};
