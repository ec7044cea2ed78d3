import type { RegexRewriteData } from '../match/decode.ts';

/** One entry of `hash_policy`. Names are wire text, those of headers lower-case. */
export type HashPolicyData = HashedData & {
  /** Where there is a hash by now, the entries behind this one do not count. */
  readonly terminal: boolean;
};

type HashedData =
  | { readonly kind: 'header'; readonly name: string; readonly rewrite: RegexRewriteData | null }
  /** `generated` null: a request without the cookie gets none. */
  | { readonly kind: 'cookie'; readonly name: string; readonly generated: CookieData | null }
  | { readonly kind: 'sourceIp' }
  | { readonly kind: 'queryParameter'; readonly name: string }
  | { readonly kind: 'filterState'; readonly key: string };

/** What a cookie says besides its name and value. */
export interface CookieData {
  /** 0: it ends with the session. */
  readonly maxAgeSeconds: number;
  /** Empty: none. */
  readonly path: string;
  /** An empty value: the name alone. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
}
