import { http, type HttpParts } from '../../config.ts';
import type { Group, Row, Step } from '../../row.ts';
import { says } from './check-answers.ts';

export const type = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3';
export const filter = 'envoy.filters.http.ext_authz';

export function asking(name: string, settings: string, rows: readonly Row[], parts: HttpParts = {}): Group {
  return {
    name: `ext_authz: ${name}`,
    config: http({
      filters: `${parts.filters ?? ''}
- name: ${filter}
  typed_config: { '@type': ${type}.ExtAuthz, transport_api_version: V3, ${settings} }`,
      log: ['DYNAMIC_METADATA(envoy.filters.http.ext_authz)', ...(parts.log ?? [])],
      clusters: `
- name: authz
  type: STATIC
  connect_timeout: 5s
  load_assignment: { cluster_name: authz, endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: '{{two}}' } } } }] }] }
  typed_extension_protocol_options:
    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
      '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
      explicit_http_config: { http2_protocol_options: {} }`,
      ...(parts.routes === undefined ? {} : { routes: parts.routes }),
      ...(parts.bootstrap === undefined ? {} : { bootstrap: parts.bootstrap }),
      ...(parts.transport === undefined ? {} : { transport: parts.transport }),
    }),
    // A duration is in it, or an id.
    rows: rows.map((row) => ({ stats: /ext_authz/, ignores: /headers\.6\.rawValue/, ...row })),
  };
}

export const field = (key: string, value: string, more: object = {}) => ({ header: { key, value }, ...more });
export const denied = (value: object = {}): Step =>
  says({ status: { code: 7 }, httpResponse: { case: 'deniedResponse', value } });
export const ok = (value: object = {}): Step =>
  says({ status: { code: 0 }, httpResponse: { case: 'okResponse', value } });

export const grpc = 'grpc_service: { envoy_grpc: { cluster_name: authz }, timeout: 2s }';
