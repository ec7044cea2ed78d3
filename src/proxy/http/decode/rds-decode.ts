import type { Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeConfigSource } from '../../../identity/decode/config-source-decode.ts';
import {
  RdsSchema,
  type Rds,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { RdsData } from '../hcm-data.ts';
import { routeSource, RouteSources } from '../route-sources.ts';

const supported = new SupportedFields(RdsSchema, ['config_source', 'route_config_name']);

/** `rds`: says that the route configuration is needed. Null: reasons were added. */
export function decodeRds(message: Rds, statPrefix: string, reasons: Reasons, extensions: Extensions): RdsData | null {
  supported.check(message, reasons);
  const at = reasons.at('config_source');
  const source =
    message.configSource === undefined ? null : decodeConfigSource(message.configSource, at, message.routeConfigName);
  if (source === null) return null;
  const sources = RouteSources.of(extensions);
  if (sources === null) {
    at.add('route configurations by RDS are not supported by sekisho here');
    return null;
  }
  const name = message.routeConfigName;
  const needed = routeSource(name, source, statPrefix);
  sources.need(needed);
  return { key: needed.key, name };
}
