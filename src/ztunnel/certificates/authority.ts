/** A certificate with its key and what its bearer trusts. PEM. */
export interface Certified {
  /** Leaf first, without the root. */
  readonly chain: string;
  readonly key: string;
  readonly roots: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Who certifies that a workload is who it is. */
export interface CertificateAuthority {
  /** A new key and its certificate. Rejects with words for the log. */
  certify(identity: string): Promise<Certified>;
  close(): void;
}
