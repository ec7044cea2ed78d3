import type { StringMatcherData } from '../../../route/match/matcher-data.ts';

/** `envoy.config.common.mutation_rules.v3.HeaderMutationRules` as plain data. */
export interface MutationRulesData {
  readonly allowsAllRouting: boolean;
  readonly allowsEnvoy: boolean;
  readonly disallowsSystem: boolean;
  readonly disallowsAll: boolean;
  /** Null: nothing is allowed whatever the others say. */
  readonly allowed: StringMatcherData | null;
  /** Null: nothing is disallowed whatever the others say. */
  readonly disallowed: StringMatcherData | null;
  readonly isError: boolean;
}
