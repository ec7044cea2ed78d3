import { ResponseFlag } from '../../core/failure.ts';
import { isFieldValue } from '../../core/field-value.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { compileFormat } from '../../observe/format/format.ts';
import { HeaderMutations } from '../../route/mutate/header-mutations.ts';
import { Descriptors, type Descriptor, type DescriptorWish } from '../../route/rate-limit/descriptors.ts';
import type { CallOut, CallOuts } from '../call-outs.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';
import { merged } from '../set-metadata/set-metadata.ts';
import { WireError } from '../wire/wire-cursor.ts';
import { limitHeaders } from './limit-headers.ts';
import { writeLimitRequest } from './limit-request.ts';
import { readLimitResponse, type LimitResponse } from './limit-response.ts';
import type { RateLimitFilterData, RateLimitPerRouteData } from './ratelimit-data.ts';

const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';

const resourceExhausted = 8;

/** What a route says, ready to be used. */
export interface RouteLimits {
  readonly data: RateLimitPerRouteData;
  /** Null: none. */
  readonly own: Descriptors | null;
}

/** `envoy.filters.http.ratelimit` of one connection manager: how much is too much, somebody else knows. */
export class RateLimitService implements FilterFactory {
  readonly data: RateLimitFilterData;
  readonly filterName: string;
  readonly context: FilterContext;
  private readonly callOuts: CallOuts;
  private readonly own: Descriptors | null;
  private readonly atRequest: DescriptorWish;
  private readonly atEnd: DescriptorWish;
  private readonly metadata: readonly (readonly [string, string])[];
  private readonly responseHeaders: HeaderMutations | null;

  constructor(data: RateLimitFilterData, callOuts: CallOuts, context: FilterContext) {
    const isDisabled = (key: string): boolean =>
      !context.runtime.fraction(`ratelimit.${key}.http_filter_enabled`, 100, 100, context.random());
    const wish = { stage: data.stage, localCluster: context.localNode.cluster, isDisabled };
    this.data = data;
    this.filterName = context.filterName;
    this.context = context;
    this.callOuts = callOuts;
    this.own = data.rateLimits.length === 0 ? null : new Descriptors(data.rateLimits);
    this.atRequest = { ...wish, isOnDone: false };
    this.atEnd = { ...wish, isOnDone: true };
    this.metadata = data.service.initialMetadata.map(({ key, value }) => [key, value] as const);
    this.responseHeaders =
      data.responseHeaders === null
        ? null
        : new HeaderMutations(data.responseHeaders, 'response', (format, omitEmptyValues) =>
            compileFormat(format, { omitEmptyValues }),
          );
  }

  create(): HttpFilter {
    return new LimitedRequest(this);
  }

  isOn(fraction: RuntimeFractionData | null, otherwiseKey: string): boolean {
    const { runtime } = this.context;
    const { runtimeKey, numerator, denominator } = fraction ?? {
      runtimeKey: otherwiseKey,
      numerator: 100,
      denominator: 100,
    };
    return runtime.fraction(runtimeKey, numerator, denominator, this.context.random());
  }

  concerns({ outcome }: Stream): boolean {
    const { requestType } = this.data;
    return requestType === 'both' || (requestType === 'internal') === outcome.isInternal;
  }

  descriptorsOf(stream: Stream, head: RequestHead, isAtEnd: boolean): Descriptor[] {
    const wish = isAtEnd ? this.atEnd : this.atRequest;
    const found: Descriptor[] = [];
    const route = this.routeLimits(stream);
    const own = route?.own ?? this.own;
    if (own !== null) own.add(stream, head, wish, found);
    else if (stream.route?.action.kind === 'forward')
      stream.route.action.rateLimits?.add(stream, head, wish, route?.data.virtualHosts ?? 'OVERRIDE', found);
    return found;
  }

  /** `done`: null: there was no answer. */
  ask(stream: Stream, descriptors: readonly Descriptor[], done: (response: LimitResponse | null) => void): CallOut {
    const { service, timeoutMs } = this.data;
    const { authority, maxReceiveMessageLength: messageBytesMax, skipEnvoyHeaders: skipsOwnHeaders } = service;
    const domain = this.routeLimits(stream)?.data.domain || this.data.domain;
    const options = {
      timeoutMs,
      authority,
      metadata: this.metadata,
      messageBytesMax,
      skipsOwnHeaders,
      trace: stream.trace ?? null,
    };
    return this.callOuts.grpc(service.cluster, path, writeLimitRequest(domain, descriptors), options, {
      onAnswer: (message, span) => {
        const response = read(message);
        if (response !== null) span?.tag('ratelimit_status', response.isOverLimit ? 'over_limit' : 'ok');
        done(response);
      },
      onFailure: () => done(null),
    });
  }

  /** Of the answer to a request too many. */
  configuredFields({ outcome }: Stream): [string, string][] {
    if (this.responseHeaders === null) return [];
    const headers = new Headers();
    this.responseHeaders.apply(headers, outcome);
    return headers.names.map((name, i) => [name, headers.values[i]]);
  }

  private routeLimits(stream: Stream): RouteLimits | undefined {
    return stream.perFilterConfig(this.filterName) as RouteLimits | undefined;
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

class LimitedRequest implements HttpFilter {
  private readonly filter: RateLimitService;
  private head: RequestHead | null;
  private call: CallOut | null;
  private responseFields: readonly (readonly [string, string])[];

  constructor(filter: RateLimitService) {
    this.filter = filter;
    this.head = null;
    this.call = null;
    this.responseFields = [];
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const { filter } = this;
    if (!filter.isOn(filter.data.enabled, 'ratelimit.http_filter_enabled')) return Verdict.Continue;
    if (!filter.concerns(stream) || stream.clusterStats === null) return Verdict.Continue;
    this.head = head;
    const descriptors = filter.descriptorsOf(stream, head, false);
    if (descriptors.length === 0) return Verdict.Continue;
    let isWaiting = false;
    let passes = false;
    let isAnswered = false;
    const call = filter.ask(stream, descriptors, (response) => {
      this.call = null;
      isAnswered = true;
      passes = response === null ? this.failed(stream) : this.take(stream, descriptors, response);
      if (passes && isWaiting) stream.resumeRequest(this);
    });
    if (!isAnswered) this.call = call;
    isWaiting = true;
    return passes ? Verdict.Continue : Verdict.Stop;
  }

  onResponseHead(_stream: Stream, { headers }: ResponseHead): Verdict {
    for (const [name, value] of this.responseFields) {
      // The service's own word on what its body is.
      if (name === 'content-type') headers.remove(name);
      headers.add(name, value);
    }
    this.responseFields = [];
    return Verdict.Continue;
  }

  onComplete(stream: Stream): void {
    this.call?.cancel();
    this.call = null;
    const { filter, head } = this;
    if (head === null) return;
    const descriptors = filter.descriptorsOf(stream, head, true);
    // What the service says of what is over changes nothing.
    if (descriptors.length > 0) filter.ask(stream, descriptors, () => {});
  }

  /** Whether the request passes. */
  private take(stream: Stream, descriptors: readonly Descriptor[], response: LimitResponse): boolean {
    const { filter } = this;
    const { data } = filter;
    const { isOverLimit } = response;
    this.noteMetadata(stream, response.metadata);
    count(stream, data.statPrefix, isOverLimit ? 'over_limit' : 'ok');
    const own: [string, string][] = [];
    if (isOverLimit) {
      chargeCode(stream, data.status);
      if (data.saysRateLimited) own.push(['x-envoy-ratelimited', 'true']);
    }
    own.push(...limitHeaders(response.statuses, descriptors, data.hasRateLimitHeaders));
    this.responseFields = [...safe(response.responseFields), ...own];
    if (isOverLimit && filter.isOn(data.enforced, 'ratelimit.http_filter_enforcing')) {
      this.responseFields = [...this.responseFields, ...filter.configuredFields(stream)];
      stream.reply({
        status: data.status,
        body: response.body,
        details: 'request_rate_limited',
        flags: ResponseFlag.RateLimited,
        ...(data.isResourceExhausted ? { grpcStatus: resourceExhausted } : {}),
      });
      return false;
    }
    for (const [name, value] of safe(response.requestFields)) this.head!.headers.add(name, value);
    return true;
  }

  private failed(stream: Stream): boolean {
    const { filter } = this;
    const { data } = filter;
    const { failureModeDenyFraction: fraction } = data;
    count(stream, data.statPrefix, 'error');
    const denies = fraction === null ? data.failureModeDeny : filter.isOn(fraction, '');
    if (!denies) {
      count(stream, data.statPrefix, 'failure_mode_allowed');
      return true;
    }
    stream.reply({
      status: data.statusOnError,
      body: '',
      details: 'rate_limiter_error',
      flags: ResponseFlag.RateLimitServiceError,
    });
    return false;
  }

  private noteMetadata({ outcome }: Stream, metadata: LimitResponse['metadata']): void {
    if (metadata === null) return;
    const { metadataNamespace: namespace } = this.filter.data;
    outcome.dynamicMetadata ??= new Map();
    const there = outcome.dynamicMetadata.get(namespace);
    outcome.dynamicMetadata.set(namespace, there === undefined ? metadata : merged(there, metadata));
  }
}

/** Where messages end is not for others to say, nor are fields that would end their line. */
function safe(fields: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const isFraming = (name: string): boolean => name === 'content-length' || name === 'transfer-encoding';
  return fields.filter(
    ([name, value]) => name !== '' && !name.startsWith(':') && !isFraming(name) && isFieldValue(value),
  );
}

function count({ clusterStats }: Stream, prefix: string, name: string): void {
  if (clusterStats === null) return;
  const scope = clusterStats.scope('ratelimit');
  (prefix === '' ? scope : scope.scope(prefix)).counter(name).inc();
}

/** A refusal counts as an answer of the cluster that the request did not get to. */
function chargeCode({ clusterStats }: Stream, status: number): void {
  if (clusterStats === null) return;
  for (const scope of [clusterStats, clusterStats.scope('internal')]) {
    scope.counter('upstream_rq_completed').inc();
    scope.counter(`upstream_rq_${Math.floor(status / 100)}xx`).inc();
    scope.counter(`upstream_rq_${status}`).inc();
  }
}
