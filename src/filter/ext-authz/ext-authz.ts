import { ResponseFlag } from '../../core/failure.ts';
import { isFieldValue } from '../../core/field-value.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { joinedRequestHeaders, joinedResponseHeaders, appendHeader } from '../../route/joined-headers.ts';
import { MetadataMatcher } from '../../route/match/state-matcher.ts';
import type { CallOut } from '../call-outs.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { QueryMutations } from '../header-mutation/query-mutations.ts';
import { merged } from '../set-metadata/set-metadata.ts';
import { AppendAction, checkedBody, type Authorizer, type CheckAnswer, type FieldChange } from './check.ts';
import type { ExtAuthzData, ExtAuthzPerRouteData, RequestBodyData } from './ext-authz-data.ts';
import { ExtAuthzStats } from './ext-authz-stats.ts';
import { MutationRules } from './rules/mutation-rules.ts';
import { ShadowDecision } from './shadow-decision.ts';

const unauthorized = ResponseFlag.UnauthorizedExternalService;

const pseudoFields = 4;
const pseudoBytes = ':method:path:authority:scheme'.length;

const metadataNamespace = 'envoy.filters.http.ext_authz';

/** What a route says, ready to be used. */
export interface RouteAuthorization {
  readonly data: ExtAuthzPerRouteData;
  /** Null: the filter's. */
  readonly authorizer: Authorizer | null;
}

/** `envoy.filters.http.ext_authz` of one connection manager. */
export class ExtAuthz implements FilterFactory {
  readonly data: ExtAuthzData;
  readonly authorizer: Authorizer;
  readonly stats: ExtAuthzStats;
  readonly filterName: string;
  /** Null: every field of a request may be changed. */
  readonly rules: MutationRules | null;
  private readonly enabledMetadata: MetadataMatcher | null;
  private readonly context: FilterContext;

  constructor(data: ExtAuthzData, authorizer: Authorizer, context: FilterContext) {
    this.data = data;
    this.authorizer = authorizer;
    this.stats = new ExtAuthzStats(scoped(context.stats.scope('ext_authz'), data.statPrefix));
    this.filterName = context.filterName;
    this.rules = data.requestRules === null ? null : new MutationRules(data.requestRules);
    this.enabledMetadata = data.enabledMetadata === null ? null : new MetadataMatcher(data.enabledMetadata);
    this.context = context;
  }

  create(): HttpFilter {
    return new AuthorizedRequest(this);
  }

  isEnabled({ outcome }: Stream): boolean {
    const { enabled } = this.data;
    const { runtime } = this.context;
    if (this.enabledMetadata !== null && !this.enabledMetadata.matches(outcome)) return false;
    if (enabled === null) return true;
    return runtime.fraction(enabled.runtimeKey, enabled.numerator, enabled.denominator, this.context.random());
  }

  isTooLarge(head: RequestHead): boolean {
    const { requestLimits } = this.context;
    if (requestLimits === undefined) return false;
    const { names, values } = head.headers;
    if (names.length + pseudoFields > requestLimits.headerCountMax) return true;
    let size = pseudoBytes + head.method.length + head.path.length + head.authority.length + head.scheme.length;
    for (let i = 0; i < names.length; i++) size += names[i].length + values[i].length;
    return size > requestLimits.headerBytesMax;
  }

  get deniesAtDisable(): boolean {
    const { denyAtDisable } = this.data;
    if (denyAtDisable === null) return false;
    return this.context.runtime.number(denyAtDisable.runtimeKey, denyAtDisable.isOn ? 1 : 0) !== 0;
  }

  /** The filter's own, and those of the cluster that the request goes to. */
  statsFor(stream: Stream): readonly ExtAuthzStats[] {
    const { clusterStats } = stream;
    if (clusterStats === null) return [this.stats];
    return [this.stats, new ExtAuthzStats(scoped(clusterStats.scope('ext_authz'), this.data.statPrefix))];
  }

  /** A denial counts as an answer of the cluster that the request did not get to. */
  chargeCode({ clusterStats }: Stream, status: number): void {
    if (clusterStats === null) return;
    for (const scope of [clusterStats, clusterStats.scope('internal')]) {
      scope.counter('upstream_rq_completed').inc();
      scope.counter(`upstream_rq_${Math.floor(status / 100)}xx`).inc();
      scope.counter(`upstream_rq_${status}`).inc();
    }
  }
}

function scoped<Scope extends { scope(prefix: string): Scope }>(scope: Scope, prefix: string): Scope {
  return prefix === '' ? scope : scope.scope(prefix);
}

/** One request that somebody else decides about. */
class AuthorizedRequest implements HttpFilter {
  private readonly filter: ExtAuthz;
  private head: RequestHead | null;
  /** Null: the body does not matter, or is there already. */
  private body: RequestBodyData | null;
  private bodyBytes: number;
  private call: CallOut | null;
  private isAsking: boolean;
  private askedAt: number;
  private responseFields: readonly FieldChange[];

  constructor(filter: ExtAuthz) {
    this.filter = filter;
    this.head = null;
    this.body = null;
    this.bodyBytes = 0;
    this.call = null;
    this.isAsking = false;
    this.askedAt = 0;
    this.responseFields = [];
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    const { filter } = this;
    const route = stream.perFilterConfig(filter.filterName) as RouteAuthorization | undefined;
    if (route?.data.isDisabled === true) return Verdict.Continue;
    if (!filter.isEnabled(stream)) {
      filter.stats.disabled.inc();
      if (!filter.deniesAtDisable) return Verdict.Continue;
      if (filter.data.isShadow) {
        stream.outcome.flags |= unauthorized;
        this.note(stream, 'denied', filter.data.statusOnError, []);
        return Verdict.Continue;
      }
      this.refuse(stream, filter.data.statusOnError, '', [], 'ext_authz_error');
      return Verdict.Stop;
    }
    this.head = head;
    const body = route?.data.body ?? filter.data.body;
    const isSent =
      body !== null && route?.data.skipsBody !== true && !end && !head.headers.has('upgrade') && head.protocol === '';
    if (!isSent) return this.ask(stream, null);
    this.body = body;
    if (!body.allowsPartial) stream.requestBytesMax = body.bytesMax;
    return Verdict.StopAndBuffer;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const { body } = this;
    if (this.isAsking) return Verdict.Stop;
    if (body === null) return Verdict.Continue;
    this.bodyBytes += chunk.length;
    const isFull = body.allowsPartial && this.bodyBytes >= body.bytesMax;
    // Too much of it ends the request with 413.
    const isTooLarge = !body.allowsPartial && this.bodyBytes > body.bytesMax;
    if ((!end && !isFull) || isTooLarge) return Verdict.StopAndBuffer;
    return this.ask(stream, checkedBody([...stream.bufferedRequestBody, chunk], body.bytesMax, body.packsAsBytes));
  }

  onRequestTrailers(stream: Stream): Verdict {
    const { body } = this;
    if (this.isAsking) return Verdict.Stop;
    if (body === null) return Verdict.Continue;
    return this.ask(stream, checkedBody(stream.bufferedRequestBody, body.bytesMax, body.packsAsBytes));
  }

  onResponseHead(stream: Stream, head: ResponseHead): Verdict {
    const { responseFields, filter } = this;
    if (responseFields.length === 0) return Verdict.Continue;
    change(head.headers, responseFields, joinedResponseHeaders);
    if (!filter.data.enforcesAnswerLimits || !isTooLargeAnswer(stream, head)) return Verdict.Continue;
    filter.stats.responseHeaderLimitsReached.inc();
    this.responseFields = [];
    stream.reply({ status: 500, body: '', details: 'ext_authz_invalid', flags: unauthorized });
    return Verdict.Stop;
  }

  onComplete(): void {
    this.call?.cancel();
    this.call = null;
  }

  private ask(stream: Stream, body: ReturnType<typeof checkedBody> | null): Verdict {
    const { filter, head } = this;
    const configs = stream.perFilterConfigs(filter.filterName) as readonly RouteAuthorization[];
    const contextExtensions =
      configs.length === 0
        ? noExtensions
        : (Object.assign({}, ...configs.map(({ data }) => data.contextExtensions)) as Record<string, string>);
    const authorizer = configs.at(-1)?.authorizer ?? filter.authorizer;
    this.body = null;
    this.isAsking = true;
    this.askedAt = stream.clock.now;
    let isWaiting = false;
    let passes = false;
    const call = authorizer.check({ stream, head: head!, body, contextExtensions }, (answer) => {
      this.call = null;
      passes = this.take(stream, answer);
      this.isAsking = !passes;
      if (passes && isWaiting) stream.resumeRequest(this);
    });
    if (this.isAsking) this.call = call;
    isWaiting = true;
    return passes ? Verdict.Continue : Verdict.Stop;
  }

  /** Whether the request passes. */
  private take(stream: Stream, answer: CheckAnswer): boolean {
    const { filter } = this;
    const { data } = filter;
    if (answer.metadata !== null) this.setMetadata(stream, answer.metadata, answer.verdict === 'ok');
    const counts = filter.statsFor(stream);
    if (answer.verdict === 'denied') for (const stats of counts) stats.denied.inc();
    const isHeard = answer.verdict === 'ok' || (answer.verdict === 'denied' && !data.isShadow);
    const isInvalid = isHeard && data.validateMutations && !isValid(answer);
    if (isInvalid || (answer.verdict === 'ok' && filter.rules?.isError === true && !this.isAllowed(answer))) {
      this.refuseInvalid(stream, counts);
      return false;
    }
    switch (answer.verdict) {
      case 'ok':
        if (!this.accept(stream, answer)) {
          filter.stats.requestHeaderLimitsReached.inc();
          this.refuseInvalid(stream, counts);
          return false;
        }
        for (const stats of counts) stats.ok.inc();
        if (data.isShadow) this.note(stream, 'ok', 200, []);
        return true;
      case 'denied':
        if (data.chargesClusterStats) filter.chargeCode(stream, answer.status);
        if (data.isShadow) return this.note(stream, 'denied', answer.status, answer.responseFields);
        this.refuse(stream, answer.status, answer.body, answer.responseFields, 'ext_authz_denied');
        return false;
      case 'error':
        for (const stats of counts) stats.error.inc();
        if (data.isShadow) return this.note(stream, 'error', answer.status || data.statusOnError, []);
        if (!data.failureModeAllow) {
          this.refuse(
            stream,
            answer.status || data.statusOnError,
            answer.body,
            answer.responseFields,
            'ext_authz_error',
          );
          return false;
        }
        for (const stats of counts) stats.failureModeAllowed.inc();
        if (data.failureModeAllowHeaderAdd) this.head!.headers.add('x-envoy-auth-failure-mode-allowed', 'true');
        return true;
    }
  }

  /** The request passes, and what was decided about it is there for others. */
  private note(
    { outcome }: Stream,
    verdict: CheckAnswer['verdict'],
    status: number,
    fields: readonly FieldChange[],
  ): true {
    const { stats, filterName } = this.filter;
    if (verdict === 'denied') stats.shadowDenied.inc();
    else if (verdict === 'error') stats.shadowError.inc();
    outcome.filterState ??= new Map();
    outcome.filterState.set(`${filterName}.shadow`, new ShadowDecision(verdict, status, fields));
    return true;
  }

  private isAllowed({ requestFields, removedFields }: CheckAnswer): boolean {
    const { rules } = this.filter;
    const areFit = requestFields.every(({ name, value }) => rules!.allows(name) && isFieldValue(value));
    return areFit && removedFields.every((name) => isRemovable(name) && rules!.allows(name));
  }

  private refuseInvalid(stream: Stream, counts: readonly ExtAuthzStats[]): void {
    for (const stats of counts) stats.invalid.inc();
    stream.reply({ status: 500, body: '', details: 'ext_authz_invalid', flags: unauthorized });
  }

  /** False: the request has grown larger than any may come. */
  private accept(stream: Stream, answer: CheckAnswer): boolean {
    const { setParameters, removedParameters } = answer;
    const head = this.head!;
    const { rules } = this.filter;
    const requestFields =
      rules === null ? answer.requestFields : answer.requestFields.filter(({ name }) => rules.allows(name));
    const removedFields =
      rules === null ? answer.removedFields : answer.removedFields.filter((name) => rules.allows(name));
    const hasChanges =
      requestFields.length + removedFields.length + setParameters.length + removedParameters.length > 0;
    changeRequest(head, requestFields);
    if (requestFields.length > 0 && this.filter.isTooLarge(head)) return false;
    for (const name of removedFields) if (isRemovable(name)) head.headers.remove(name);
    if (setParameters.length + removedParameters.length > 0) {
      const mutations = [
        ...setParameters.map(([key, value]) => ({
          kind: 'append' as const,
          key,
          value: value.replaceAll('%', '%%'),
          action: 'OVERWRITE_IF_EXISTS_OR_ADD' as const,
        })),
        ...removedParameters.map((key) => ({ kind: 'remove' as const, key })),
      ];
      head.path = new QueryMutations(mutations).apply(head.path, stream.outcome);
    }
    this.responseFields = answer.responseFields;
    if (hasChanges && this.filter.data.clearRouteCache) stream.clearRoute();
    return true;
  }

  private setMetadata({ outcome, clock }: Stream, said: Readonly<Record<string, unknown>>, isOk: boolean): void {
    const duration = Math.floor(clock.now - this.askedAt);
    const metadata = isOk ? { ...said, ext_authz_duration: duration } : said;
    if (!this.filter.data.ingestsMetadata) {
      this.filter.stats.ignoredDynamicMetadata.inc();
      return;
    }
    outcome.dynamicMetadata ??= new Map();
    const there = outcome.dynamicMetadata.get(metadataNamespace);
    outcome.dynamicMetadata.set(metadataNamespace, there === undefined ? metadata : merged(there, metadata));
  }

  private refuse(stream: Stream, status: number, body: string, fields: readonly FieldChange[], details: string): void {
    const { deniedBodyBytesMax } = this.filter.data;
    // They are the answer's own: the response hook changes it.
    this.responseFields = fields;
    stream.reply({
      status,
      body: deniedBodyBytesMax > 0 ? body.slice(0, deniedBodyBytesMax) : body,
      details,
      flags: unauthorized,
    });
  }
}

/** An answer of our own has no limit. */
function isTooLargeAnswer({ answerLimits, outcome }: Stream, { headers, status }: ResponseHead): boolean {
  if (answerLimits === null || answerLimits === undefined || outcome.details !== 'via_upstream') return false;
  const { names, values } = headers;
  if (names.length + 1 > answerLimits.headerCountMax) return true;
  let size = ':status'.length + String(status).length;
  for (let i = 0; i < names.length; i++) size += names[i].length + values[i].length;
  return size > answerLimits.headerBytesMax;
}

const noExtensions: Readonly<Record<string, string>> = {};

function changeRequest(head: RequestHead, fields: readonly FieldChange[]): void {
  for (const { name, value } of fields) {
    if (name === ':path') head.path = value;
    else if (name === ':method') head.method = value;
    else if (name === ':authority' || name === 'host') head.authority = value;
    else if (name === ':scheme') head.scheme = value;
  }
  const others = fields.filter(({ name }) => !name.startsWith(':') && name !== 'host');
  change(head.headers, others, joinedRequestHeaders);
}

/** Without them a request would be none. */
function isRemovable(name: string): boolean {
  return name !== 'host' && !name.startsWith(':');
}

/** Where messages end is not for others to say. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** In the order in which they were said. What no field can hold is left out. */
function change(headers: Headers, fields: readonly FieldChange[], joined: ReadonlySet<string>): void {
  for (const { name, value, action, isAppend } of fields) {
    if (!isFieldValue(value) || name === '' || name.startsWith(':') || framing.has(name)) continue;
    const isThere = headers.has(name);
    switch (action) {
      case AppendAction.Append:
        if (isAppend && joined === joinedRequestHeaders) {
          const at = headers.indexOf(name);
          if (at >= 0) headers.values[at] = `${headers.values[at]},${value}`;
        } else appendHeader(headers, joined, name, value);
        break;
      case AppendAction.AddIfAbsent:
        if (!isThere) headers.add(name, value);
        break;
      case AppendAction.OverwriteIfExists:
        if (isThere) headers.set(name, value);
        break;
      case AppendAction.OverwriteOrAdd:
        headers.set(name, value);
    }
  }
}

const token = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;

function isValid({ requestFields, responseFields, removedFields }: CheckAnswer): boolean {
  const areFit = [...requestFields, ...responseFields].every(
    ({ name, value }) => token.test(name) && isFieldValue(value),
  );
  return areFit && removedFields.every((name) => token.test(name));
}
