import { Headers } from '../../core/headers.ts';
import type { ResponseHead } from '../../core/head.ts';
import { buildMatcher, type MatchInput, type Matcher } from '../../match/matcher.ts';
import { buildFormat } from '../../observe/access-log/build.ts';
import { compileFormat } from '../../observe/format/format.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import { HeaderMutations } from '../../route/mutate/header-mutations.ts';
import {
  Verdict,
  type FilterContext,
  type FilterFactory,
  type HttpFilter,
  type LocalReply,
  type Stream,
} from '../filter.ts';
import type { CustomResponseData, LocalResponseData, ResponseInputData } from './custom-response-data.ts';

/** An exchange whose answer has come. */
interface Answered {
  readonly stream: Stream;
  readonly head: ResponseHead;
}

/** Which answers are replaced, and by what. */
export class CustomResponses {
  private readonly matcher: Matcher<Answered, LocalResponse> | null;

  constructor({ matcher }: CustomResponseData) {
    this.matcher =
      matcher === null
        ? null
        : buildMatcher<Answered, LocalResponse>(matcher, {
            input: (data) => inputOf(data as ResponseInputData),
            string: (data) => new StringMatcher(data as StringMatcherData),
            action: (data) => new LocalResponse(data as LocalResponseData),
          });
  }

  for(stream: Stream, head: ResponseHead): LocalResponse | null {
    return this.matcher === null ? null : this.matcher.match({ stream, head });
  }
}

/** `envoy.filters.http.custom_response`. One object for all streams. */
export class CustomResponseFilter implements HttpFilter, FilterFactory {
  private readonly responses: CustomResponses;
  private readonly filterName: string;

  constructor(responses: CustomResponses, context: FilterContext) {
    this.responses = responses;
    this.filterName = context.filterName;
  }

  create(): HttpFilter {
    return this;
  }

  onResponseHead(stream: Stream, head: ResponseHead): Verdict {
    const response = this.ofRoutes(stream, head) ?? this.responses.for(stream, head);
    if (response === null) return Verdict.Continue;
    stream.reply(response.inPlaceOf(stream, head));
    return Verdict.Stop;
  }

  /** The most specific level that has something for this answer. */
  private ofRoutes(stream: Stream, head: ResponseHead): LocalResponse | null {
    const levels = stream.perFilterConfigs(this.filterName);
    for (let i = levels.length - 1; i >= 0; i--) {
      const response = (levels[i] as CustomResponses).for(stream, head);
      if (response !== null) return response;
    }
    return null;
  }
}

class LocalResponse {
  private readonly status: number;
  private readonly body: string;
  private readonly format: Formatter | null;
  private readonly headers: HeaderMutations | null;

  constructor({ status, body, bodyFormat, headers }: LocalResponseData) {
    this.status = status;
    this.body = body;
    this.format = bodyFormat === null ? null : buildFormat(bodyFormat);
    this.headers =
      headers === null
        ? null
        : new HeaderMutations(headers, 'response', (format, omitEmptyValues) =>
            compileFormat(format, { omitEmptyValues }),
          );
  }

  inPlaceOf({ outcome }: Stream, head: ResponseHead): LocalReply {
    // What is formatted may speak of the answer that it replaces.
    outcome.responseHead = head;
    outcome.responseCode = head.status;
    outcome.localReplyBody = this.body;
    const body = this.format === null ? this.body : this.format.format(outcome);
    outcome.localReplyBody = '';
    const headers = new Headers();
    this.headers?.apply(headers, outcome);
    return {
      status: this.status === 0 ? head.status : this.status,
      body,
      details: '',
      headers: headers.names.map((name, i) => [name, headers.values[i]]),
    };
  }
}

function inputOf(data: ResponseInputData): MatchInput<Answered> {
  switch (data.kind) {
    case 'status':
      return ({ head }) => String(head.status);
    case 'status-class':
      return ({ head }) => `${Math.floor(head.status / 100)}xx`;
    case 'local-reply':
      return ({ stream }) => String(stream.outcome.details !== 'via_upstream');
    case 'request-header':
      return ({ stream }) => joined(stream.requestHead.getAll(data.name));
    case 'response-header':
      return ({ head }) => joined(head.getAll(data.name));
  }
}

function joined(values: readonly string[]): string | null {
  return values.length === 0 ? null : values.join(',');
}
