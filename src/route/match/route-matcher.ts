import type { RequestHead } from '../../core/head.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import { buildMatcher, type MatchInput, type Matcher } from '../../match/matcher.ts';
import type { RouteEntry } from '../route-entry.ts';
import type { MatchContext } from '../route.ts';
import type { RouteMatchInputData, RouteRangeData, StringMatcherData } from './matcher-data.ts';
import { StringMatcher } from './string-matcher.ts';

/** What a request is looked at by. */
interface Subject {
  readonly head: RequestHead;
  readonly context: MatchContext;
}

/** Routes of a virtual host that a tree chooses among, in place of their order. */
export class RouteMatcher {
  private readonly tree: Matcher<Subject, readonly RouteEntry[]>;

  constructor(data: MatcherData, routes: readonly RouteEntry[]) {
    this.tree = buildMatcher(data, {
      input: (input) => inputOf(input as RouteMatchInputData),
      string: (string) => new StringMatcher(string as StringMatcherData),
      action: (action) => {
        const { from, to } = action as RouteRangeData;
        return routes.slice(from, to);
      },
    });
  }

  /** The route that is meant, or the first of the list; null also where it does not match: no other is asked then. */
  find(path: string, ownPath: string, head: RequestHead, context: MatchContext): RouteEntry | null {
    const routes = this.tree.match({ head, context });
    return routes?.find((route) => route.matches(path, ownPath, head, context)) ?? null;
  }
}

function inputOf(input: RouteMatchInputData): MatchInput<Subject> {
  if (input.kind === 'filter-state') {
    const { key } = input;
    return ({ context }) => {
      const value = context.outcome?.filterState?.get(key);
      return typeof value === 'string' ? value : null;
    };
  }
  const { name } = input;
  return ({ head }) => {
    const pseudo = name.startsWith(':') ? head.get(name) : undefined;
    if (pseudo !== undefined) return pseudo;
    const values = head.headers.getAll(name);
    return values.length === 0 ? null : values.join(',');
  };
}
