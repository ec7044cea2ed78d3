import { StringMatcher } from '../../../route/match/string-matcher.ts';
import type { MutationRulesData } from './mutation-rules-data.ts';

const routing: ReadonlySet<string> = new Set(['host', ':authority', ':method', ':scheme']);

/** Which fields of a request others may change. */
export class MutationRules {
  /** A change that is not allowed makes the whole answer invalid; otherwise it is left out. */
  readonly isError: boolean;
  private readonly data: MutationRulesData;
  private readonly allowed: StringMatcher | null;
  private readonly disallowed: StringMatcher | null;

  constructor(data: MutationRulesData) {
    this.isError = data.isError;
    this.data = data;
    this.allowed = data.allowed === null ? null : new StringMatcher(data.allowed);
    this.disallowed = data.disallowed === null ? null : new StringMatcher(data.disallowed);
  }

  /** `name`: lower case. The expressions come first, and of them the one that disallows, as in Envoy. */
  allows(name: string): boolean {
    const { data, allowed, disallowed } = this;
    if (disallowed !== null && disallowed.matches(name)) return false;
    if (allowed !== null && allowed.matches(name)) return true;
    if (data.disallowsAll) return false;
    if (!data.allowsAllRouting && routing.has(name)) return false;
    if (data.disallowsSystem && name.startsWith(':')) return false;
    return data.allowsEnvoy || !name.startsWith('x-envoy');
  }
}
