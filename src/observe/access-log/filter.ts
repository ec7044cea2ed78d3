import type { RequestHead } from '../../core/head.ts';
import type { AccessLogFilterData, ComparisonData, ValueMatcherData } from './access-log-data.ts';
import { expressionEngine } from '../expression/expressions.ts';
import { grpcStatusOf } from '../format/grpc-status.ts';
import { elapsedMs } from '../format/timing.ts';
import type { Outcome } from '../outcome.ts';
import { buildNameMatcher } from '../stats/stat-name-matcher.ts';
import { TraceReason } from '../trace/trace-reason.ts';

/** Whether a stream is logged. */
export interface AccessLogFilter {
  accepts(outcome: Outcome): boolean;
}

/** What filters need of rooms above. Runtime has the shape of the filter room's view. */
export interface FilterTools {
  /** Builds what the route room's decoder made of a HeaderMatcher. */
  readonly headerMatcher: ((data: unknown) => { matches(head: RequestHead): boolean }) | null;
  readonly runtime: {
    number(key: string, otherwise: number): number;
    fraction(key: string, numerator: number, denominator: number, random: number): boolean;
  } | null;
  /** 0 ≤ x < 1. */
  random(): number;
}

export const NO_TOOLS: FilterTools = { headerMatcher: null, runtime: null, random: () => Math.random() };

export function buildAccessLogFilter(data: AccessLogFilterData, tools: FilterTools = NO_TOOLS): AccessLogFilter {
  switch (data.kind) {
    case 'status-code':
      return new Compared(data.comparison, tools, (outcome) => outcome.responseCode);
    case 'duration':
      return new Compared(data.comparison, tools, (outcome) => elapsedMs(outcome, null));
    case 'not-health-check':
      return { accepts: (outcome) => !outcome.isHealthCheck };
    case 'traceable':
      // As Envoy: only what a service has asked for.
      return { accepts: (outcome) => outcome.traceReason === TraceReason.ServiceForced };
    case 'runtime':
      return new Sampled(data, tools);
    case 'and': {
      const filters = data.filters.map((filter) => buildAccessLogFilter(filter, tools));
      return { accepts: (outcome) => filters.every((filter) => filter.accepts(outcome)) };
    }
    case 'or': {
      const filters = data.filters.map((filter) => buildAccessLogFilter(filter, tools));
      return { accepts: (outcome) => filters.some((filter) => filter.accepts(outcome)) };
    }
    case 'header': {
      if (tools.headerMatcher === null) throw new Error('an access log with a header_filter needs a header matcher');
      const matcher = tools.headerMatcher(data.matcher);
      return { accepts: ({ requestHead }) => requestHead !== null && matcher.matches(requestHead) };
    }
    case 'expression': {
      const expression = expressionEngine().build(data.expression, true);
      return { accepts: (outcome) => expression.matches(outcome) };
    }
    case 'response-flag':
      return { accepts: ({ flags }) => (data.flags === 0 ? flags !== 0 : (flags & data.flags) !== 0) };
    case 'grpc-status':
      return { accepts: (outcome) => data.statuses.includes(knownStatus(outcome)) !== data.exclude };
    case 'log-type':
      return { accepts: ({ accessLogType }) => data.types.includes(accessLogType) !== data.exclude };
    case 'metadata':
      return new MetadataFilter(data);
  }
}

class Compared implements AccessLogFilter {
  private readonly comparison: ComparisonData;
  private readonly tools: FilterTools;
  private readonly read: (outcome: Outcome) => number;

  constructor(comparison: ComparisonData, tools: FilterTools, read: (outcome: Outcome) => number) {
    this.comparison = comparison;
    this.tools = tools;
    this.read = read;
  }

  accepts(outcome: Outcome): boolean {
    const { op, value, runtimeKey } = this.comparison;
    const { runtime } = this.tools;
    const limit = runtimeKey === '' || runtime === null ? value : runtime.number(runtimeKey, value);
    const actual = this.read(outcome);
    switch (op) {
      case 'EQ':
        return actual === limit;
      case 'GE':
        return actual >= limit;
      case 'LE':
        return actual <= limit;
      case 'NE':
        return actual !== limit;
    }
  }
}

class Sampled implements AccessLogFilter {
  private readonly data: Extract<AccessLogFilterData, { kind: 'runtime' }>;
  private readonly tools: FilterTools;

  constructor(data: Extract<AccessLogFilterData, { kind: 'runtime' }>, tools: FilterTools) {
    this.data = data;
    this.tools = tools;
  }

  accepts(outcome: Outcome): boolean {
    const { key, numerator, denominator, independentRandomness } = this.data;
    const { tools } = this;
    const { runtime } = tools;
    const point = independentRandomness ? tools.random() : (shareOf(outcome, denominator) ?? tools.random());
    return runtime === null
      ? Math.floor(point * denominator) < numerator
      : runtime.fraction(key, numerator, denominator, point);
  }
}

/** As Envoy: the same requests are sampled everywhere, since the number comes from the request id's first 32 bits. */
function shareOf({ requestHead }: Outcome, denominator: number): number | null {
  const id = requestHead?.headers.get('x-request-id') ?? '';
  const word = parseInt(id.slice(0, 8), 16);
  // The half keeps the point clear of the bucket's edge.
  return Number.isNaN(word) ? null : ((word % denominator) + 0.5) / denominator;
}

/** gRPC's own codes; anything else is `Unknown`, as is no answer. */
function knownStatus(outcome: Outcome): number {
  const status = grpcStatusOf(outcome);
  return status === null ? 2 : status;
}

class MetadataFilter implements AccessLogFilter {
  private readonly data: Extract<AccessLogFilterData, { kind: 'metadata' }>;
  private readonly matches: ((value: unknown) => boolean) | null;

  constructor(data: Extract<AccessLogFilterData, { kind: 'metadata' }>) {
    this.data = data;
    this.matches = data.value === null ? null : buildValueMatcher(data.value);
  }

  accepts(outcome: Outcome): boolean {
    const { namespace, path, matchIfKeyNotFound } = this.data;
    let value: unknown = outcome.dynamicMetadata?.get(namespace);
    for (const key of path)
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    if (value === undefined || this.matches === null) return matchIfKeyNotFound;
    return this.matches(value);
  }
}

export function buildValueMatcher(data: ValueMatcherData): (value: unknown) => boolean {
  switch (data.kind) {
    case 'null':
      return (value) => value === null;
    case 'double':
      if (data.isExact) return (value) => value === data.start;
      return (value) => typeof value === 'number' && value >= data.start && value < data.end;
    case 'string': {
      const matches = buildNameMatcher(data.matcher);
      return (value) => typeof value === 'string' && matches(value);
    }
    case 'bool':
      return (value) => value === data.value;
    case 'present':
      return (value) => (value !== null) === data.value;
    case 'list': {
      const matches = buildValueMatcher(data.oneOf);
      return (value) => Array.isArray(value) && value.some(matches);
    }
    case 'or': {
      const any = data.any.map(buildValueMatcher);
      return (value) => any.some((matches) => matches(value));
    }
  }
}
