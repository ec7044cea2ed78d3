import { HttpVersion, RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import { lowerAscii } from '../../route/wire-text.ts';
import type { CallOut, CallOuts, HttpAnswer } from '../call-outs.ts';
import {
  AppendAction,
  nothingSaid,
  ownFields,
  type Authorizer,
  type Check,
  type CheckAnswer,
  type FieldChange,
} from './check.ts';
import type { HttpServiceData } from './ext-authz-data.ts';
import type { SentHeaders } from './message/sent-headers.ts';

/** Bytes of a denial. Envoy's `per_connection_buffer_limit_bytes`. */
const bodyBytesMax = 1024 * 1024;

/** Names of fields that the upstream is not to get, in an answer that lets the request pass. */
const toRemove = 'x-envoy-auth-headers-to-remove';

/** Of answers: never passed on when a request is let through. */
const ownOfAnswers: ReadonlySet<string> = new Set([
  'content-length',
  'content-type',
  'date',
  'x-envoy-upstream-service-time',
  'transfer-encoding',
]);

/** Of denials: passed on whatever is allowed. */
const alwaysToClients: ReadonlySet<string> = new Set(['content-length', 'location', 'www-authenticate']);

/** A server that says by its status whether a request may pass: 200, or anything else. */
export class HttpAuthorizer implements Authorizer {
  private readonly data: HttpServiceData;
  private readonly sent: SentHeaders;
  private readonly callOuts: CallOuts;
  private readonly upstream: FieldTest;
  private readonly upstreamAppended: FieldTest;
  private readonly client: FieldTest;
  private readonly clientOnSuccess: FieldTest;
  private readonly metadata: FieldTest;

  constructor(data: HttpServiceData, sent: SentHeaders, callOuts: CallOuts) {
    this.data = data;
    this.sent = sent;
    this.callOuts = callOuts;
    this.upstream = testOf(data.upstreamHeaders);
    this.upstreamAppended = testOf(data.upstreamHeadersToAppend);
    const named = testOf(data.clientHeaders);
    this.client = data.clientHeaders.length === 0 ? () => true : (name) => alwaysToClients.has(name) || named(name);
    this.clientOnSuccess = testOf(data.clientHeadersOnSuccess);
    this.metadata = testOf(data.metadataHeaders);
  }

  check(check: Check, done: (answer: CheckAnswer) => void): CallOut {
    const { uri, retries } = this.data;
    const { clock } = check.stream;
    const startMs = clock.now;
    const body = check.body === null || check.body.bytes.length === 0 ? null : check.body.bytes;
    const options = {
      timeoutMs: uri.timeoutMs,
      bodyBytesMax,
      saysForWhom: false,
      retries,
      trace: check.stream.trace ?? null,
    };
    return this.callOuts.http(uri.cluster, this.requestFor(check, body), body, options, {
      onAnswer: (answer, span) => {
        span?.tag('ext_authz_http_status', answer.statusText ?? '');
        span?.tag('ext_authz_status', answer.head.status === 200 ? 'ext_authz_ok' : 'ext_authz_unauthorized');
        done(this.read(answer, clock.now - startMs));
      },
      onFailure: (_reason, span, statusText = '') => {
        span?.tag('ext_authz_http_status', statusText);
        span?.tag('ext_authz_status', 'ext_authz_unauthorized');
        done(nothingSaid);
      },
    });
  }

  private requestFor({ head, body: checked }: Check, body: Uint8Array | null): RequestHead {
    const { pathPrefix, pathOverride, headersToAdd } = this.data;
    const headers = new Headers();
    if (body === null) headers.add('content-length', '0');
    this.sent.each(head, (name, value) => {
      if (!name.startsWith(':') && name !== 'content-length') headers.add(name, value);
    });
    if (checked !== null) headers.add('x-envoy-auth-partial-body', String(checked.isPartial));
    for (const [name, value] of headersToAdd) headers.set(name, value);
    const path = pathOverride === '' ? pathPrefix + head.path : pathOverride;
    const request = new RequestHead(head.method, head.authority, path, HttpVersion.Http11, headers);
    request.scheme = head.scheme;
    return request;
  }

  /** `ms`: what it took. */
  private read({ head, body }: HttpAnswer, ms: number): CheckAnswer {
    const { status, headers } = head;
    if (status >= 500) return nothingSaid;
    const metadata = this.metadataIn(headers);
    if (status !== 200) {
      // As the router of Envoy's own calls notes it.
      const all: [string, string][] = [...pairs(headers), ['x-envoy-upstream-service-time', String(Math.round(ms))]];
      const responseFields = ownFields(all.filter(([name]) => this.client(name)));
      const text = Buffer.from(body).toString('latin1');
      return { ...nothingSaid, verdict: 'denied', status, body: text, responseFields, metadata };
    }
    const requestFields: FieldChange[] = [];
    const responseFields: FieldChange[] = [];
    for (const [name, value] of pairs(headers)) {
      if (ownOfAnswers.has(name)) continue;
      if (this.upstream(name)) requestFields.push(change(name, value, AppendAction.OverwriteOrAdd));
      if (this.upstreamAppended(name)) requestFields.push(change(name, value, AppendAction.Append));
      if (this.clientOnSuccess(name)) responseFields.push(change(name, value, AppendAction.Append));
    }
    const removedFields = headers
      .getAll(toRemove)
      .flatMap((names) => names.split(','))
      .map((name) => lowerAscii(name.trim()))
      .filter((name) => name !== '');
    return { ...nothingSaid, verdict: 'ok', requestFields, responseFields, removedFields, metadata };
  }

  private metadataIn(headers: Headers): Readonly<Record<string, unknown>> | null {
    const found = pairs(headers).filter(([name]) => this.metadata(name));
    return found.length === 0 ? null : Object.fromEntries(found);
  }
}

type FieldTest = (name: string) => boolean;

function testOf(data: readonly StringMatcherData[]): FieldTest {
  const matchers = data.map((matcher) => new StringMatcher(matcher));
  return (name) => matchers.some((matcher) => matcher.matches(name));
}

function pairs({ names, values }: Headers): [string, string][] {
  return names.map((name, i) => [name, values[i]]);
}

function change(name: string, value: string, action: AppendAction): FieldChange {
  return { name, value, action, isAppend: false };
}
