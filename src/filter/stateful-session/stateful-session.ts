import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import { setCookie } from '../../route/hash/set-cookie.ts';
import { findCookie } from '../../route/match/cookie-matcher.ts';
import { Verdict, type HttpFilter, type Stream } from '../filter.ts';
import { readSession, writeSession } from './session-cookie.ts';
import type { SessionCarrierData, StatefulSessionData } from './stateful-session-data.ts';

/** What became of requests, below `http.<stat_prefix>.stateful_session.<stat_prefix>.`. */
export class SessionCounts {
  readonly routed: Counter;
  readonly failedOpen: Counter;
  readonly failedClosed: Counter;

  constructor(stats: StatsScope, prefix: string) {
    const scope = stats.scope('stateful_session').scope(prefix);
    this.routed = scope.counter('routed');
    this.failedOpen = scope.counter('failed_open');
    this.failedClosed = scope.counter('failed_closed');
  }
}

/** Keeps a client with the host that has answered it once: the client carries the host's address. */
export class StatefulSessionFilter implements HttpFilter {
  private readonly filterName: string;
  private readonly data: StatefulSessionData;
  /** Null: nobody counts. */
  private readonly counts: SessionCounts | null;
  /** Of this stream; null: it has no session. */
  private carrier: SessionCarrierData | null;
  /** Whom the client has named; null: nobody. */
  private address: string | null;

  constructor(filterName: string, data: StatefulSessionData, counts: SessionCounts | null = null) {
    this.filterName = filterName;
    this.data = data;
    this.counts = counts;
    this.carrier = null;
    this.address = null;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const { carrier, isStrict, notFoundStatus } =
      (stream.perFilterConfig(this.filterName) as StatefulSessionData | undefined) ?? this.data;
    if (carrier === null || !isAbout(carrier, head.path)) return Verdict.Continue;
    this.carrier = carrier;
    this.address = addressIn(carrier, head, Math.floor(stream.clock.epochMs / 1000));
    if (this.address !== null) stream.overrideHost = { address: this.address, isStrict, notFoundStatus };
    return Verdict.Continue;
  }

  onResponseHead(stream: Stream, head: ResponseHead): Verdict {
    const { carrier, address } = this;
    const host = stream.outcome.upstreamHost;
    if (carrier !== null && this.counts !== null) this.count(this.counts, stream, host);
    if (carrier === null || host === '' || host === address) return Verdict.Continue;
    if (carrier.kind === 'header') {
      head.headers.set(carrier.name, Buffer.from(host, 'latin1').toString('base64'));
      return Verdict.Continue;
    }
    const { maxAgeSeconds } = carrier.cookie;
    const expires = maxAgeSeconds === 0 ? 0 : Math.floor(stream.clock.epochMs / 1000) + maxAgeSeconds;
    head.headers.add('set-cookie', setCookie(carrier.name, writeSession(host, expires), carrier.cookie));
    return Verdict.Continue;
  }

  private count(counts: SessionCounts, { overrideHost }: Stream, host: string): void {
    const isStrict = overrideHost?.isStrict === true;
    if (host !== '' && host === this.address) counts.routed.inc();
    else if (isStrict) counts.failedClosed.inc();
    else if (this.address !== null || !this.data.isStrict) counts.failedOpen.inc();
  }
}

function addressIn(carrier: SessionCarrierData, head: RequestHead, nowSeconds: number): string | null {
  if (carrier.kind === 'cookie') {
    const value = findCookie(head.headers, carrier.name) ?? '';
    return value === '' ? null : readSession(value, nowSeconds);
  }
  const value = head.headers.get(carrier.name);
  if (value === undefined) return null;
  const address = Buffer.from(value, 'base64').toString('latin1');
  return address === '' ? null : address;
}

/** A cookie's path is that of a directory or of one page. */
function isAbout(carrier: SessionCarrierData, target: string): boolean {
  if (carrier.kind === 'header') return true;
  const { path } = carrier.cookie;
  if (path === '' || path === '/' || !target.startsWith(path)) return path === '' || path === '/';
  const next = target[path.length];
  return path.endsWith('/') || next === undefined || next === '/' || next === '?' || next === '#';
}
