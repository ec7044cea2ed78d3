import type { InternalRedirectPolicy, RedirectHistory, RedirectTarget } from '../route.ts';
import type { InternalRedirectData, RedirectPredicateData } from './internal-redirect-data.ts';

/** `internal_redirect_policy`, built. */
export class ConfiguredRedirects implements InternalRedirectPolicy {
  readonly maxRedirects: number;
  readonly allowsCrossScheme: boolean;
  readonly headersToCopy: readonly string[];
  private readonly codes: readonly number[];
  private readonly predicates: readonly RedirectPredicateData[];

  constructor(data: InternalRedirectData) {
    this.maxRedirects = data.maxRedirects;
    this.allowsCrossScheme = data.allowsCrossScheme;
    this.headersToCopy = data.headersToCopy;
    this.codes = data.codes;
    this.predicates = data.predicates;
  }

  follows(status: number): boolean {
    return this.codes.includes(status);
  }

  accepts(target: RedirectTarget, history: RedirectHistory): boolean {
    return this.predicates.every((predicate) => accepts(predicate, target, history));
  }
}

function accepts(predicate: RedirectPredicateData, target: RedirectTarget, history: RedirectHistory): boolean {
  switch (predicate.kind) {
    case 'listed':
      return predicate.routes.includes(target.route);
    case 'previous':
      return history.isNew(target.from, target.route);
    case 'safe':
      return target.wasSecure || !target.isSecure;
  }
}
