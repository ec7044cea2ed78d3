import type { GrpcServiceData } from '../../../identity/config-source-data.ts';
import type { MetadataMatcherData } from '../../../route/match/matcher-data.ts';

export const networkExtAuthzKind = 'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz';

/** `envoy.extensions.filters.network.ext_authz.v3.ExtAuthz` as plain data. */
export interface NetworkExtAuthzData {
  readonly statPrefix: string;
  readonly service: GrpcServiceData;
  readonly failureModeAllow: boolean;
  readonly includesPeerCertificate: boolean;
  readonly includesTlsSession: boolean;
  /** In the metadata of the bootstrap's node; empty: none. */
  readonly labelsKey: string;
  readonly metadataNamespaces: readonly string[];
  /** Null: every connection is asked about. */
  readonly enabledMetadata: MetadataMatcherData | null;
}
