/** Where a request or a connection says which address it wants, in the order in which it is looked for. */
export interface OriginalDstData {
  /** Dynamic metadata: namespace, then keys into it; null: not there. */
  readonly metadataPath: readonly string[] | null;
  /** Request header, in lower case; empty: none. */
  readonly header: string;
  /** Instead of the port that is asked for; null: that one. */
  readonly port: number | null;
  /** Hosts that nobody has used, and nobody is connected to, for this long go; some go later, up to twice as long. */
  readonly cleanupMs: number;
}
