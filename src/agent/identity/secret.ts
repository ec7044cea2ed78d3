/** Names of the workload's own certificate and of what it trusts, as the proxy asks for them. */
export const workloadSecretName = 'default';
export const rootSecretName = 'ROOTCA';

/** What the proxy is given for a name. PEM, as bytes of a file or of the CA's answer. */
export type Secret =
  | { readonly kind: 'certificate'; readonly chain: string; readonly key: string }
  /** @param revoked path of the file with lists of what is revoked; empty: none */
  | { readonly kind: 'roots'; readonly roots: string; readonly revoked: string };

/** Who has secrets. */
export interface SecretSource {
  /** Null: it is on its way; `onSecretChanged` will tell. Throws AgentError for a name that there is not. */
  secret(name: string): Secret | null;
}

/** Who wants to know of changes. */
export interface SecretListener {
  onSecretChanged(name: string): void;
}
