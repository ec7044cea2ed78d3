import { StringMatcher } from '../../route/match/string-matcher.ts';
import type { FilterContext } from '../filter.ts';
import type { RuntimeFractionData } from '../fraction-data.ts';
import type { CorsPolicyData } from './cors-data.ts';

/** One level's policy, built. */
export class CorsPolicy {
  readonly data: CorsPolicyData;
  private readonly origins: readonly StringMatcher[];
  private readonly context: FilterContext;

  constructor(data: CorsPolicyData, context: FilterContext) {
    this.data = data;
    this.origins = data.allowOrigins.map((origin) => new StringMatcher(origin));
    this.context = context;
  }

  /** A matcher that matches `*` stands for every origin. */
  allows(origin: string): boolean {
    for (const matcher of this.origins) if (matcher.matches('*') || matcher.matches(origin)) return true;
    return false;
  }

  isEnabled(): boolean {
    return this.data.filterEnabled === null || this.isOn(this.data.filterEnabled);
  }

  isShadowEnabled(): boolean {
    return this.data.shadowEnabled !== null && this.isOn(this.data.shadowEnabled);
  }

  private isOn({ runtimeKey, numerator, denominator }: RuntimeFractionData): boolean {
    return this.context.runtime.fraction(runtimeKey, numerator, denominator, this.context.random());
  }
}

/** The policies of all levels, most specific first: each setting is the first level's that has it. */
export class CorsPolicies {
  private readonly levels: readonly CorsPolicy[];

  /** `levels` least specific first, as streams list them. */
  constructor(levels: readonly CorsPolicy[]) {
    this.levels = levels.toReversed();
  }

  isEnabled(): boolean {
    return this.levels[0].isEnabled();
  }

  isShadowEnabled(): boolean {
    return this.levels[0].isShadowEnabled();
  }

  allows(origin: string): boolean {
    const level = this.levels.find((policy) => policy.data.allowOrigins.length > 0);
    return level !== undefined && level.allows(origin);
  }

  text(field: 'allowMethods' | 'allowHeaders' | 'exposeHeaders' | 'maxAge'): string {
    return this.levels.find((policy) => policy.data[field] !== '')?.data[field] ?? '';
  }

  flag(
    field: 'allowCredentials' | 'allowPrivateNetworkAccess' | 'forwardNotMatchingPreflights',
    otherwise: boolean,
  ): boolean {
    return this.levels.find((policy) => policy.data[field] !== null)?.data[field] ?? otherwise;
  }
}
