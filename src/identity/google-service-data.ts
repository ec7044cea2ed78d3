/** What gRPC's names of servers (`target_uri`) say. */
export interface GoogleTarget {
  /** Addresses, one name, or the path of a socket. */
  readonly kind: 'static' | 'dns' | 'pipe';
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Of requests, unless something else is configured. */
  readonly authority: string;
}

/** What is known of the channel behind a cluster of `google_grpc`. Plain data. */
export interface ChannelData {
  /** `grpc.<prefix>.*`. */
  readonly statPrefix: string;
  /** What every call says of who makes it. */
  readonly credentials: readonly CallCredentialData[];
}

export interface CallCredentialData {
  /** Lower case. */
  readonly key: string;
  readonly prefix: string;
  /** Files are read again whenever they are others. */
  readonly source: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'text'; readonly text: string };
}
