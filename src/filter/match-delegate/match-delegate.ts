import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { buildMatcher, type Matcher } from '../../match/matcher.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { DelegateInputData, MatchDelegateData } from './match-delegate-data.ts';

/** What has come of an exchange; the response is null until it has. */
interface Seen {
  readonly request: RequestHead;
  readonly response: ResponseHead | null;
}

type SkipMatcher = Matcher<Seen, 'skip' | 'untold'>;

/** A filter with a matcher in front. Source: Envoy `source/common/http/match_delegate`. */
export class MatchDelegate implements FilterFactory {
  private readonly inner: FilterFactory;
  private readonly matcher: SkipMatcher | null;

  constructor({ matcher }: MatchDelegateData, inner: FilterFactory) {
    this.inner = inner;
    this.matcher =
      matcher === null
        ? null
        : buildMatcher<Seen, 'skip' | 'untold'>(matcher, {
            input: (data) => inputOf(data as DelegateInputData),
            string: (data) => new StringMatcher(data as StringMatcherData),
            action: () => 'skip',
            untold: 'untold',
          });
  }

  create(): HttpFilter {
    return new DelegatedFilter(this.inner.create(), this.matcher);
  }
}

function inputOf({ of, name }: DelegateInputData) {
  return ({ request, response }: Seen): string | null | undefined => {
    const head = of === 'request' ? request : response;
    if (head === null) return undefined;
    const values = head.getAll(name);
    return values.length === 0 ? null : values.join(',');
  };
}

/** Stands in its chain for another, which sees what it is not told to skip. */
class DelegatedFilter implements HttpFilter {
  readonly inner: HttpFilter;
  private readonly matcher: SkipMatcher | null;
  private isDecided: boolean;
  private isSkipped: boolean;

  constructor(inner: HttpFilter, matcher: SkipMatcher | null) {
    this.inner = inner;
    this.matcher = matcher;
    this.isDecided = matcher === null;
    // As Envoy: without a matcher nothing tells that it is wanted.
    this.isSkipped = matcher === null;
  }

  get readsOutcome(): true | undefined {
    return this.inner.readsOutcome;
  }

  /** As Envoy: whom the host's choice is told does not depend on the matcher. */
  onHostSelected(stream: Stream): boolean {
    return this.inner.onHostSelected?.(stream) ?? true;
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    this.look(head, null);
    return this.isSkipped ? Verdict.Continue : (this.inner.onRequestHead?.(stream, head, end) ?? Verdict.Continue);
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    return this.isSkipped ? Verdict.Continue : (this.inner.onRequestData?.(stream, chunk, end) ?? Verdict.Continue);
  }

  onRequestTrailers(stream: Stream, trailers: Headers): Verdict {
    return this.isSkipped ? Verdict.Continue : (this.inner.onRequestTrailers?.(stream, trailers) ?? Verdict.Continue);
  }

  onResponseHead(stream: Stream, head: ResponseHead, end: boolean): Verdict {
    this.look(stream.requestHead, head);
    return this.isSkipped ? Verdict.Continue : (this.inner.onResponseHead?.(stream, head, end) ?? Verdict.Continue);
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    return this.isSkipped ? Verdict.Continue : (this.inner.onResponseData?.(stream, chunk, end) ?? Verdict.Continue);
  }

  onResponseTrailers(stream: Stream, trailers: Headers): Verdict {
    return this.isSkipped ? Verdict.Continue : (this.inner.onResponseTrailers?.(stream, trailers) ?? Verdict.Continue);
  }

  onComplete(stream: Stream): void {
    this.inner.onComplete?.(stream);
  }

  private look(request: RequestHead, response: ResponseHead | null): void {
    if (this.isDecided) return;
    const action = this.matcher!.match({ request, response });
    this.isDecided = action !== 'untold';
    this.isSkipped = action === 'skip';
  }
}
