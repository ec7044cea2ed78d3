/** `envoy.extensions.filters.http.header_to_metadata.v3.Config` as plain data, of the filter and of routes alike. */
export interface HeaderToMetadataData {
  /** Empty: nothing is counted. */
  readonly statPrefix: string;
  readonly request: readonly MetadataRuleData[];
  readonly response: readonly MetadataRuleData[];
}

export interface MetadataRuleData {
  /** Lower-case header, or a cookie. */
  readonly source: 'header' | 'cookie';
  readonly name: string;
  readonly onPresent: MetadataEntryData | null;
  readonly onMissing: MetadataEntryData | null;
  /** The header does not go on. */
  readonly removes: boolean;
}

export interface MetadataEntryData {
  readonly namespace: string;
  readonly key: string;
  /** Empty: the header's, rewritten. */
  readonly value: string;
  readonly rewrite: { readonly pattern: string; readonly substitution: string } | null;
  readonly isNumber: boolean;
  readonly isBase64: boolean;
}
