import { readProxyProtocolHeader, type ProxyProtocolHeader } from '../../../codec/proxy-protocol-reader.ts';
import type { ProxyTlv } from '../../../core/peer.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../listener-filter.ts';

/** A TLV that goes into dynamic metadata. */
export interface TlvRuleData {
  readonly type: number;
  readonly namespace: string;
  readonly key: string;
  readonly encoding: 'SANITIZED_UTF8' | 'BASE64';
}

/** `envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol`. */
export interface ProxyProtocolData {
  readonly allowsNone: boolean;
  readonly allowsVersion1: boolean;
  readonly allowsVersion2: boolean;
  readonly rules: readonly TlvRuleData[];
  /** Types that upstream connections may pass on. */
  readonly passThrough: 'ALL' | readonly number[];
  readonly statPrefix: string;
}

export const proxyProtocolKind = 'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol';

/** What is counted of one version. */
class VersionStats {
  readonly found: Counter;
  readonly disallowed: Counter;
  readonly error: Counter;

  constructor(scope: StatsScope) {
    this.found = scope.counter('found');
    this.disallowed = scope.counter('disallowed');
    this.error = scope.counter('error');
  }
}

/** Takes the PROXY protocol's header off, and restores the addresses that it tells. */
export class ProxyProtocol implements ListenerFilter {
  private readonly data: ProxyProtocolData;
  private readonly rules: ReadonlyMap<number, TlvRuleData>;
  private readonly errors: Counter;
  private readonly notFoundAllowed: Counter;
  private readonly notFoundDisallowed: Counter;
  private readonly versions: readonly VersionStats[];

  /** `root`: the root scope of the stats, where Envoy has these. */
  constructor(data: ProxyProtocolData, root: StatsScope) {
    this.data = data;
    this.rules = new Map(data.rules.map((rule) => [rule.type, rule]));
    const own = root.scope('proxy_proto');
    const scope = data.statPrefix === '' ? own : own.scope(data.statPrefix);
    this.errors = root.counter('downstream_cx_proxy_proto_error');
    this.notFoundAllowed = scope.counter('not_found_allowed');
    this.notFoundDisallowed = scope.counter('not_found_disallowed');
    this.versions = ['v1', 'v2'].map((name) => new VersionStats(scope.scope('versions').scope(name)));
  }

  inspect(connection: Inspected): Verdict {
    if (connection.bytes.length === 0) return Verdict.NeedMore;
    const header = readProxyProtocolHeader(connection.bytes, this.data);
    if (header === null) return Verdict.NeedMore;
    this.count(header);
    if (header.result !== 'done') return Verdict.Close;
    const { peer } = connection;
    if (header.ends !== null) peer.restore(header.ends.from, header.ends.to);
    this.keep(header.tlvs, connection);
    connection.consume(header.size);
    return Verdict.Continue;
  }

  private count({ result, version }: ProxyProtocolHeader): void {
    if (result === 'error') this.errors.inc();
    if (version === 0) {
      (result === 'done' ? this.notFoundAllowed : this.notFoundDisallowed).inc();
      return;
    }
    const stats = this.versions[version - 1];
    (result === 'error' ? stats.error : stats.found).inc();
    if (result === 'denied') stats.disallowed.inc();
  }

  private keep(tlvs: readonly ProxyTlv[], { peer }: Inspected): void {
    if (tlvs.length === 0) return;
    for (const { type, value } of tlvs) {
      const rule = this.rules.get(type);
      if (rule === undefined) continue;
      // Of a type that comes twice the first counts.
      if (Object.hasOwn(peer.dynamicMetadata?.get(rule.namespace) ?? {}, rule.key)) continue;
      peer.note(rule.namespace, rule.key, rule.encoding === 'BASE64' ? base64(value) : sanitized(value));
    }
    const { passThrough } = this.data;
    if (passThrough === 'ALL') peer.proxyTlvs = tlvs;
    else if (passThrough.length > 0) peer.proxyTlvs = tlvs.filter(({ type }) => passThrough.includes(type));
  }
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What is no UTF-8 becomes `!`, a byte each, as in Envoy. */
function sanitized(value: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < value.length) {
    const size = sequenceBytes(value[at]);
    try {
      text += strictUtf8.decode(value.subarray(at, at + size));
      at += size;
    } catch {
      text += '!';
      at++;
    }
  }
  return text;
}

function sequenceBytes(lead: number): number {
  if (lead < 0xc0) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
