import { ResponseFlag } from '../../../core/failure.ts';
import { Outcome } from '../../../observe/outcome.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';
import { MetadataMatcher } from '../../../route/match/state-matcher.ts';
import type { CallOut } from '../../call-outs.ts';
import type { CheckAnswer } from '../../ext-authz/check.ts';
import { GrpcAuthorizer } from '../../ext-authz/grpc-authorizer.ts';
import { labelsOf } from '../../ext-authz/message/check-request.ts';
import { SentHeaders } from '../../ext-authz/message/sent-headers.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
  type NetworkFilterTools,
} from '../network-filter.ts';
import { networkExtAuthzKind, type NetworkExtAuthzData } from './network-ext-authz-data.ts';

const namespace = 'envoy.filters.network.ext_authz';

class Stats {
  readonly total: Counter;
  readonly ok: Counter;
  readonly denied: Counter;
  readonly error: Counter;
  readonly disabled: Counter;
  readonly failureModeAllowed: Counter;
  readonly cxClosed: Counter;
  readonly active: Gauge;

  constructor(scope: StatsScope) {
    this.total = scope.counter('total');
    this.ok = scope.counter('ok');
    this.denied = scope.counter('denied');
    this.error = scope.counter('error');
    this.disabled = scope.counter('disabled');
    this.failureModeAllowed = scope.counter('failure_mode_allowed');
    this.cxClosed = scope.counter('cx_closed');
    this.active = scope.gauge('active');
  }
}

/** The authorization server of one filter chain. */
class AuthorizedConnections implements NetworkFilterFactory {
  readonly data: NetworkExtAuthzData;
  readonly authorizer: GrpcAuthorizer;
  readonly stats: Stats;
  readonly tools: NetworkFilterTools;
  private readonly enabled: MetadataMatcher | null;

  constructor(data: NetworkExtAuthzData, tools: NetworkFilterTools) {
    if (tools.callOuts === undefined) throw new Error('an authorization server is to be asked, and nobody can');
    const settings = {
      headers: new SentHeaders([], [], 'grpc'),
      encodesRawHeaders: false,
      includesPeerCertificate: data.includesPeerCertificate,
      includesTlsSession: data.includesTlsSession,
      labels: labelsOf(data.labelsKey, tools.nodeMetadata),
      metadataNamespaces: data.metadataNamespaces,
      routeMetadataNamespaces: [],
    };
    this.data = data;
    this.tools = tools;
    this.authorizer = new GrpcAuthorizer(data.service, settings, tools.callOuts);
    this.stats = new Stats(tools.stats.scope('ext_authz').scope(data.statPrefix));
    this.enabled = data.enabledMetadata === null ? null : new MetadataMatcher(data.enabledMetadata);
  }

  create(): NetworkFilter {
    return new AuthorizedConnection(this);
  }

  isEnabled(outcome: Outcome): boolean {
    return this.enabled === null || this.enabled.matches(outcome);
  }
}

/** `envoy.filters.network.ext_authz`: the first bytes of a client wait until somebody else has decided. */
class AuthorizedConnection implements NetworkFilter {
  private readonly filter: AuthorizedConnections;
  private state: 'new' | 'asking' | 'passed' | 'refused';
  private call: CallOut | null;
  private askedAt: number;

  constructor(filter: AuthorizedConnections) {
    this.filter = filter;
    this.state = 'new';
    this.call = null;
    this.askedAt = 0;
  }

  onData(stream: FilteredStream): NetworkVerdict {
    if (this.state === 'new') {
      const outcome = new Outcome();
      outcome.peer = stream.peer;
      stream.notes.describe(outcome);
      if (!this.filter.isEnabled(outcome)) {
        this.filter.stats.disabled.inc();
        return NetworkVerdict.Continue;
      }
      this.ask(stream, outcome);
    }
    return this.state === 'passed' ? NetworkVerdict.Continue : NetworkVerdict.Stop;
  }

  onClosed(): void {
    if (this.state !== 'asking') return;
    this.call?.cancel();
    this.end('refused');
  }

  private ask(stream: FilteredStream, outcome: Outcome): void {
    const { filter } = this;
    this.askedAt = filter.tools.clock.now;
    this.state = 'asking';
    filter.stats.active.inc();
    filter.stats.total.inc();
    let isWaiting = false;
    const call = filter.authorizer.checkConnection(stream.peer, outcome, (answer) => {
      this.call = null;
      this.take(stream, answer);
      if (isWaiting && this.state === 'passed') stream.proceed();
    });
    isWaiting = true;
    // Without a word from the server it is still being asked.
    if ((this.state as string) === 'asking') this.call = call;
  }

  private take(stream: FilteredStream, { verdict, metadata }: CheckAnswer): void {
    const { stats, data, tools } = this.filter;
    const duration = verdict === 'ok' ? { ext_authz_duration: Math.floor(tools.clock.now - this.askedAt) } : {};
    if (metadata !== null || verdict === 'ok')
      stream.notes.dynamicMetadata.set(namespace, { ...metadata, ...duration });
    if (verdict === 'ok') stats.ok.inc();
    else if (verdict === 'denied') stats.denied.inc();
    else stats.error.inc();
    const isForgiven = verdict === 'error' && data.failureModeAllow;
    if (isForgiven) stats.failureModeAllowed.inc();
    if (verdict === 'ok' || isForgiven) {
      this.end('passed');
      return;
    }
    stats.cxClosed.inc();
    this.end('refused');
    stream.notes.flags |= ResponseFlag.UnauthorizedExternalService;
    stream.notes.details = verdict === 'denied' ? 'ext_authz_denied' : 'ext_authz_error';
    stream.close('ext_authz_close');
  }

  private end(state: 'passed' | 'refused'): void {
    this.state = state;
    this.filter.stats.active.dec();
  }
}

export const networkExtAuthzBuilder: NetworkFilterBuilder = {
  kind: networkExtAuthzKind,
  build: (data, tools) => new AuthorizedConnections(data as NetworkExtAuthzData, tools),
};
