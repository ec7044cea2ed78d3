import type { CookieData } from '../../route/hash/hash-policy-data.ts';

/** Where the address of a session's host travels between the client and us. */
export interface StatefulSessionData {
  /** Null: no sessions are kept. */
  readonly carrier: SessionCarrierData | null;
  /** A host that is gone is not replaced: the request fails. */
  readonly isStrict: boolean;
  /** What it is answered with then; 0: 503. */
  readonly notFoundStatus: number;
  /** Empty: nothing is counted. */
  readonly statPrefix: string;
}

export type SessionCarrierData =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string; readonly cookie: CookieData };
