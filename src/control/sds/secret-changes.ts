import type { SecretData } from '../../identity/secret-data.ts';

/** What the threads' stores of secrets must become: plain data. */
export interface SecretChanges {
  readonly set: readonly (readonly [key: string, secret: SecretData])[];
  /** Nothing that is configured names them any more. */
  readonly removed: readonly string[];
}
