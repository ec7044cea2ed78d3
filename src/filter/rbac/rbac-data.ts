import type { SanMatcherData } from '../../identity/secret-data.ts';
import type { IpPrefix } from '../../match/ip-prefix-map.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import type { ExpressionData } from '../../observe/expression/expression-data.ts';
import type {
  FilterStateMatcherData,
  HeaderMatcherData,
  MetadataMatcherData,
  StringMatcherData,
} from '../../route/match/matcher-data.ts';

/** `envoy.extensions.filters.http.rbac.v3.RBAC` as plain data. */
export interface RbacData {
  /** Null: nothing is enforced. */
  readonly rules: EngineData | null;
  readonly shadowRules: EngineData | null;
  readonly rulesStatPrefix: string;
  readonly shadowRulesStatPrefix: string;
  /** Each policy has counters of its own. */
  readonly tracksRules: boolean;
}

export type RbacAction = 'ALLOW' | 'DENY' | 'LOG';

export type EngineData =
  /** In the order of the names' bytes: the first that matches is the one that is named. */
  | { readonly kind: 'policies'; readonly action: RbacAction; readonly policies: readonly PolicyData[] }
  | { readonly kind: 'matcher'; readonly matcher: MatcherData };

export interface PolicyData {
  readonly name: string;
  /** Any of them. */
  readonly permissions: readonly RuleData[];
  /** Any of them. */
  readonly principals: readonly RuleData[];
  /** Null: none. */
  readonly condition: ExpressionData | null;
}

/** Where an address is taken from: `connection` is the client as PROXY protocol told, `remote` as x-forwarded-for did. */
export type AddressOf = 'destination' | 'connection' | 'direct' | 'remote';

/** A permission or a principal: what they ask differs, how they ask does not. */
export type RuleData =
  | { readonly kind: 'any' }
  | { readonly kind: 'and' | 'or'; readonly rules: readonly RuleData[] }
  | { readonly kind: 'not'; readonly rule: RuleData }
  | { readonly kind: 'header'; readonly header: HeaderMatcherData }
  /** Of the path without query and fragment. */
  | { readonly kind: 'path'; readonly path: StringMatcherData }
  | { readonly kind: 'uri-template'; readonly template: string }
  | { readonly kind: 'metadata'; readonly of: 'dynamic' | 'route'; readonly metadata: MetadataMatcherData }
  | { readonly kind: 'filter-state'; readonly state: FilterStateMatcherData }
  | { readonly kind: 'address'; readonly of: AddressOf; readonly range: IpPrefix }
  /** Of the destination; half open. */
  | { readonly kind: 'port'; readonly start: number; readonly end: number }
  | { readonly kind: 'server-name'; readonly name: StringMatcherData }
  /** By any URI or DNS name of the client's certificate, or by its subject; null: any client that speaks TLS. */
  | { readonly kind: 'authenticated'; readonly name: StringMatcherData | null }
  /** By a certificate that was verified; null: any. */
  | { readonly kind: 'mtls'; readonly san: SanMatcherData | null };

/** What a matcher of RBAC looks at. */
export type RbacInputData =
  | { readonly kind: 'network'; readonly name: string }
  /** Lower-case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'metadata'; readonly filter: string; readonly path: readonly string[] }
  | { readonly kind: 'filter-state'; readonly key: string }
  /** Everything, for an expression. */
  | { readonly kind: 'attributes' };

/** A test of more than a text. */
export type RbacTestData =
  | { readonly kind: 'expression'; readonly expression: ExpressionData }
  | { readonly kind: 'metadata'; readonly value: MetadataMatcherData['value']; readonly invert: boolean };

export interface RbacActionData {
  readonly name: string;
  readonly action: RbacAction;
}
