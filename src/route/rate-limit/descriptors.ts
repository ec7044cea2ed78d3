import { formatIp, parseIp } from '../../core/ip-address.ts';
import type { RequestHead } from '../../core/head.ts';
import { IpPrefixMap } from '../../match/ip-prefix-map.ts';
import { expressionEngine } from '../../observe/expression/expressions.ts';
import { compileFormat } from '../../observe/format/format.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { allMatch, HeaderMatcher } from '../match/header-matcher.ts';
import { findParameter, parameterValue, QueryMatcher } from '../match/query-matcher.ts';
import { wireText } from '../wire-text.ts';
import type {
  HitsData,
  LimitData,
  LimitUnit,
  MetadataKeyData,
  RateLimitActionData,
  RateLimitData,
} from './rate-limit-data.ts';

/** What a request is limited by. */
export interface Descriptor {
  readonly entries: readonly DescriptorEntry[];
  readonly hits: number;
  /** For services that take one; null: theirs. */
  readonly limit: DescriptorLimit | null;
  /** Whether clients are shown how much is left; absent: as the filter says. */
  readonly isShown?: boolean;
}

export interface DescriptorEntry {
  readonly key: string;
  readonly value: string;
}

export interface DescriptorLimit {
  readonly requestsPerUnit: number;
  readonly unit: LimitUnit;
}

/** Whose descriptors are made: a stream is one. */
export interface LimitedStream {
  readonly outcome: Outcome;
  readonly route: LimitedRoute | null;
  /** 0 ≤ x < 1. */
  readonly random: number;
}

/** What of a route its descriptors may be made of. */
export interface LimitedRoute {
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly action: {
    readonly kind: string;
    /** Of routes that forward. */
    cluster?(head: RequestHead, random: number, outcome?: Outcome): { readonly name: string };
  };
}

/** Which entries of a list are meant. */
export interface DescriptorWish {
  readonly stage: number;
  /** Those for the end of a stream, too. Null: whether or not they are. */
  readonly isOnDone: boolean | null;
  /** `--service-cluster`, or the node's. */
  readonly localCluster: string;
  /** An entry with this `disable_key` is switched off. */
  readonly isDisabled: (key: string) => boolean;
}

/** Null: no descriptor; undefined: a descriptor without this entry. */
type Entry = DescriptorEntry | null | undefined;

type Action = (stream: LimitedStream, head: RequestHead, localCluster: string) => Entry;

/** Where `hits_addend` says more, Envoy takes it for an error. */
const hitsMax = 1_000_000_000;

/** `rate_limits`, built: requests → descriptors. */
export class Descriptors {
  private readonly limits: readonly Limit[];

  constructor(data: readonly RateLimitData[]) {
    this.limits = data.map((limit) => new Limit(limit));
  }

  get isEmpty(): boolean {
    return this.limits.length === 0;
  }

  /** Adds to `found` what the entries that are meant say of the request. */
  add(stream: LimitedStream, head: RequestHead, wish: DescriptorWish, found: Descriptor[]): void {
    for (const limit of this.limits) {
      if (!limit.isMeant(wish)) continue;
      const descriptor = limit.of(stream, head, wish.localCluster);
      if (descriptor !== null) found.push(descriptor);
    }
  }
}

class Limit {
  private readonly data: RateLimitData;
  private readonly actions: readonly Action[];
  private readonly hits: (outcome: Outcome) => number;
  private readonly limit: ((outcome: Outcome) => DescriptorLimit | null) | null;

  constructor(data: RateLimitData) {
    this.data = data;
    this.actions = data.actions.map(buildAction);
    this.hits = buildHits(data.hits);
    this.limit = data.limit === null ? null : buildLimit(data.limit);
  }

  isMeant({ stage, isOnDone, isDisabled }: DescriptorWish): boolean {
    const { data } = this;
    if (data.stage !== stage || (isOnDone !== null && data.isOnDone !== isOnDone)) return false;
    return data.disableKey === '' || !isDisabled(data.disableKey);
  }

  of(stream: LimitedStream, head: RequestHead, localCluster: string): Descriptor | null {
    const entries: DescriptorEntry[] = [];
    for (const action of this.actions) {
      const entry = action(stream, head, localCluster);
      if (entry === null) return null;
      if (entry !== undefined) entries.push(entry);
    }
    const { outcome } = stream;
    const limit = this.limit === null ? null : this.limit(outcome);
    const { isShown } = this.data;
    return { entries, hits: this.hits(outcome), limit, ...(isShown !== undefined && { isShown }) };
  }
}

function buildHits({ number, format }: HitsData): (outcome: Outcome) => number {
  if (format === '') return () => number;
  const formatter = compileFormat(format, { omitEmptyValues: true });
  return (outcome) => {
    const text = formatter.format(outcome);
    return /^\d{1,10}$/.test(text) && Number(text) <= hitsMax ? Number(text) : 1;
  };
}

function buildLimit(data: LimitData): (outcome: Outcome) => DescriptorLimit | null {
  if (data.kind === 'fixed') return () => data;
  return ({ dynamicMetadata }) => {
    const limit = valueAt(dynamicMetadata?.get(data.key.namespace), data.key);
    const requestsPerUnit = memberOf(limit, 'requests_per_unit');
    const unit = memberOf(limit, 'unit');
    if (typeof requestsPerUnit !== 'number' || !isUnit(unit)) return null;
    return { requestsPerUnit: Math.trunc(requestsPerUnit), unit };
  };
}

const units: ReadonlySet<unknown> = new Set<LimitUnit>(['UNKNOWN', 'SECOND', 'MINUTE', 'HOUR', 'DAY', 'MONTH', 'YEAR']);

function isUnit(value: unknown): value is LimitUnit {
  return units.has(value);
}

function buildAction(data: RateLimitActionData): Action {
  switch (data.kind) {
    case 'source-cluster':
      return (_stream, _head, localCluster) => ({ key: 'source_cluster', value: wireText(localCluster) });
    case 'destination-cluster':
      return destination;
    case 'remote-address':
      return (stream) => ofText('remote_address', remoteHost(stream));
    case 'masked-remote-address':
      return (stream) => ofText('masked_remote_address', masked(remoteHost(stream), data.v4Bits, data.v6Bits));
    case 'generic':
      return () => data;
    case 'header':
      return (_stream, head) => ofValue(data, head.get(data.name));
    case 'header-input':
      return (_stream, head) => ofText(data.key, head.getAll(data.name).join(',') || null);
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
    case 'address-match':
      return buildAddressMatch(data);
    case 'metadata':
      return (stream) => ofValue(data, metadataText(data, stream));
    case 'expression': {
      const expression = expressionEngine().build(data.expression, true);
      return ({ outcome }) => ofValue(data, expression.text(outcome) ?? undefined);
    }
  }
}

type Of<Kind extends RateLimitActionData['kind']> = Extract<RateLimitActionData, { readonly kind: Kind }>;

function buildAddressMatch({ key, format, otherwise, ranges, invert }: Of<'address-match'>): Action {
  const map = new IpPrefixMap<true>();
  for (const range of ranges) map.set(range, true);
  const formatter: Formatter = compileFormat(format, { omitEmptyValues: true });
  return (stream) => {
    const host = remoteHost(stream);
    const bytes = host === null ? null : parseIp(host);
    if (bytes === null || (map.find(bytes) === true) === invert) return null;
    const value = formatter.format(stream.outcome) || otherwise;
    return value === '' ? null : { key, value };
  };
}

function metadataText({ of, at, otherwise }: Of<'metadata'>, { outcome, route }: LimitedStream): string | undefined {
  const metadata = of === 'route' ? route?.metadata?.[at.namespace] : outcome.dynamicMetadata?.get(at.namespace);
  const value = valueAt(metadata, at);
  return (typeof value === 'string' && value !== '' ? wireText(value) : otherwise) || undefined;
}

function valueAt(struct: unknown, { path }: MetadataKeyData): unknown {
  let value = struct;
  for (const key of path) value = memberOf(value, key);
  return value;
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function ofValue({ key, isOptional }: { key: string; isOptional: boolean }, value: string | undefined): Entry {
  if (value !== undefined) return { key, value };
  return isOptional ? undefined : null;
}

function ofText(key: string, value: string | null): Entry {
  return value === null ? null : { key, value };
}

function destination(stream: LimitedStream, head: RequestHead): Entry {
  const action = stream.route?.action;
  if (action?.cluster === undefined) return null;
  return { key: 'destination_cluster', value: wireText(action.cluster(head, stream.random, stream.outcome).name) };
}

function remoteHost({ outcome }: LimitedStream): string | null {
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
