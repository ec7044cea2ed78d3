import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { decodeConfigSource } from '../../identity/decode/config-source-decode.ts';
import type { ConfigSource } from '../../proto/envoy/config/core/v3/config_source_pb.js';
import type { OnDemandClustersData } from './on-demand-data.ts';

/** What an `odcds` has, by whatever name. */
interface OnDemandMessage {
  readonly source?: ConfigSource | undefined;
  readonly timeout?: Parameters<typeof durationMs>[0];
}

/** Null: reasons were added. @param field where the source stands */
export function decodeOnDemand(
  { source, timeout }: OnDemandMessage,
  defaultTimeoutMs: number,
  field: string,
  reasons: Reasons,
): OnDemandClustersData | null {
  if (source === undefined) {
    reasons.at(field).add('value is required');
    return null;
  }
  const config = decodeConfigSource(source, reasons.at(field));
  if (config === null) return null;
  return { source: { key: JSON.stringify(config), config }, timeoutMs: durationMs(timeout, defaultTimeoutMs) };
}
