import { formatIp, parseIp } from '../../core/ip-address.ts';
import type { RequestHead } from '../../core/head.ts';
import { allMatch, HeaderMatcher } from '../../route/match/header-matcher.ts';
import { findParameter, parameterValue, QueryMatcher } from '../../route/match/query-matcher.ts';
import type { Stream } from '../filter.ts';
import type { RateLimitActionData, RateLimitData } from './rate-limit-data.ts';

/** What a request is limited by. */
export interface Descriptor {
  readonly entries: readonly DescriptorEntry[];
  readonly hits: number;
}

export interface DescriptorEntry {
  readonly key: string;
  readonly value: string;
}

/** Null: no descriptor; undefined: a descriptor without this entry. */
type Entry = DescriptorEntry | null | undefined;

type Action = (stream: Stream, head: RequestHead) => Entry;

/** `rate_limits`, built: requests → descriptors. */
export class Descriptors {
  private readonly limits: readonly { readonly actions: readonly Action[]; readonly hits: number }[];
  private readonly localCluster: string;

  /** `localCluster`: `--service-cluster`, or the node's. */
  constructor(data: readonly RateLimitData[], localCluster: string) {
    this.localCluster = localCluster;
    this.limits = data.map(({ actions, hits }) => ({ actions: actions.map((action) => this.build(action)), hits }));
  }

  of(stream: Stream, head: RequestHead): Descriptor[] {
    const found: Descriptor[] = [];
    for (const { actions, hits } of this.limits) {
      const entries = entriesOf(actions, stream, head);
      if (entries !== null) found.push({ entries, hits });
    }
    return found;
  }

  private build(data: RateLimitActionData): Action {
    switch (data.kind) {
      case 'source-cluster':
        return () => ({ key: 'source_cluster', value: this.localCluster });
      case 'destination-cluster':
        return (stream, head) => destination(stream, head);
      case 'remote-address':
        return (stream) => ofAddress('remote_address', remoteHost(stream));
      case 'masked-remote-address':
        return (stream) => ofAddress('masked_remote_address', masked(remoteHost(stream), data.v4Bits, data.v6Bits));
      case 'generic':
        return () => data;
      case 'header':
        return (_stream, head) => ofValue(data, head.get(data.name));
      case 'query':
        return (_stream, head) => ofValue(data, queryValue(head.path, data.name));
      case 'header-match': {
        const matchers = data.headers.map((matcher) => new HeaderMatcher(matcher));
        return (_stream, head) => (allMatch(matchers, head) === data.expected ? data : null);
      }
      case 'query-match': {
        const matchers = data.parameters.map((matcher) => new QueryMatcher(matcher));
        return (_stream, { path }) => (matchers.every((one) => one.matches(path)) === data.expected ? data : null);
      }
    }
  }
}

function entriesOf(actions: readonly Action[], stream: Stream, head: RequestHead): DescriptorEntry[] | null {
  const entries: DescriptorEntry[] = [];
  for (const action of actions) {
    const entry = action(stream, head);
    if (entry === null) return null;
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function ofValue({ key, isOptional }: { key: string; isOptional: boolean }, value: string | undefined): Entry {
  if (value !== undefined) return { key, value };
  return isOptional ? undefined : null;
}

function ofAddress(key: string, value: string | null): Entry {
  return value === null ? null : { key, value };
}

function destination(stream: Stream, head: RequestHead): Entry {
  const action = stream.route?.action;
  if (action?.kind !== 'forward') return null;
  return { key: 'destination_cluster', value: action.cluster(head, stream.random).name };
}

function remoteHost({ outcome }: Stream): string | null {
  const address = outcome.remoteAddress ?? outcome.peer?.remote;
  return address?.kind === 'ip' ? address.host : null;
}

/** `10.0.0.0/8` */
function masked(host: string | null, v4Bits: number, v6Bits: number): string | null {
  const bytes = host === null ? null : parseIp(host);
  if (bytes === null) return null;
  const bits = bytes.length === 4 ? v4Bits : v6Bits;
  const kept = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))));
  return `${formatIp(kept)}/${bits}`;
}

/** Percent-decoded, as Envoy's; bytes that are no UTF-8 stay as they were sent. */
function queryValue(path: string, name: string): string | undefined {
  const at = findParameter(path, name);
  if (at < 0) return undefined;
  return parameterValue(path, at).replace(/%[0-9a-f]{2}/gi, (text) =>
    String.fromCharCode(Number.parseInt(text.slice(1), 16)),
  );
}
