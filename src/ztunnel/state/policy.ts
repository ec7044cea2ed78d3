export type StringMatch =
  | { readonly kind: 'Exact' | 'Prefix' | 'Suffix'; readonly value: string }
  | { readonly kind: 'Presence' };

/** Addresses that begin with the first `length` bits of `bytes` (4 or 16). */
export interface AddressRange {
  readonly bytes: Uint8Array;
  readonly length: number;
}

export interface ServiceAccountMatch {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Every list that is not empty must have one that holds, and of a `not` list none. All empty: it matches nothing. */
export interface PolicyMatch {
  readonly namespaces: readonly StringMatch[];
  readonly notNamespaces: readonly StringMatch[];
  readonly principals: readonly StringMatch[];
  readonly notPrincipals: readonly StringMatch[];
  readonly serviceAccounts: readonly ServiceAccountMatch[];
  readonly notServiceAccounts: readonly ServiceAccountMatch[];
  readonly sourceIps: readonly AddressRange[];
  readonly notSourceIps: readonly AddressRange[];
  readonly destinationIps: readonly AddressRange[];
  readonly notDestinationIps: readonly AddressRange[];
  readonly destinationPorts: readonly number[];
  readonly notDestinationPorts: readonly number[];
}

/** istio.security.Authorization. */
export interface Policy {
  readonly name: string;
  readonly namespace: string;
  readonly scope: 'Global' | 'Namespace' | 'WorkloadSelector';
  readonly action: 'Allow' | 'Deny';
  /** Rules (any) of clauses (all) of matches (any). */
  readonly rules: readonly (readonly (readonly PolicyMatch[])[])[];
  /** It is only told what it would have done. */
  readonly dryRun: boolean;
}

/** `namespace/name` */
export function policyKey({ namespace, name }: Pick<Policy, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
