/** `envoy.tcp.metadataexchange.config.MetadataExchange` as plain data. */
export interface MetadataExchangeData {
  /** The protocol that both ends have agreed on by ALPN where they exchange metadata. */
  readonly protocol: string;
  /** A peer that tells nothing is looked up by its address. */
  readonly looksUp: boolean;
  readonly additionalLabels: readonly string[];
}
