import type { ConfigSourceData } from './config-source-data.ts';
import type { SecretData } from './secret-data.ts';

/** Where a secret comes from that is not there yet, or that may become another. */
export interface SecretSourceData {
  /** In the SecretStore; the same for everyone who names this resource of this source. */
  readonly key: string;
  /** Of the resource; of files a name for messages and `/certs`. */
  readonly name: string;
  /** What it must be: a secret of another kind is refused. */
  readonly kind: SecretData['kind'];
  readonly from: SdsSourceData | WatchedSecretData;
}

/** By SDS: warm once the first has come, or once the source's `initialFetchTimeoutMs` has passed. */
export interface SdsSourceData {
  readonly kind: 'sds';
  readonly source: ConfigSourceData;
}

/** Written in the configuration itself, with files in watched folders. */
export interface WatchedSecretData {
  readonly kind: 'files';
  /** `envoy.extensions.transport_sockets.tls.v3.Secret`, packed: decoded anew when one of `directories` has changed. */
  readonly message: Uint8Array;
  readonly directories: readonly string[];
  /** As the files were when the configuration was read: in the store before anyone asks. */
  readonly initial: SecretData;
}

/** A Secret that was read. */
export interface DecodedSecret {
  readonly name: string;
  readonly data: SecretData;
  /** The Secret, packed, for when it is read anew. */
  readonly message: Uint8Array;
  /** Of `watched_directory`: what is written in the configuration is read anew only where there is one. */
  readonly directories: readonly string[];
}
