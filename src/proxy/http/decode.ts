import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import type { HttpConnectionManager } from '../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { HcmData } from './hcm-data.ts';

/** Null: reasons were added. */
export function decodeHttpConnectionManager(
  _message: HttpConnectionManager,
  _reasons: Reasons,
  _extensions: Extensions,
): HcmData | null {
  return null;
}
