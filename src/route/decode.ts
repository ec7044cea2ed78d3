import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { RouteConfigurationSchema, type RouteConfiguration } from '../proto/envoy/config/route/v3/route_pb.js';
import type { VirtualHost } from '../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeRequestMutations, decodeResponseMutations } from './decode/header-mutations-decode.ts';
import { decodePerFilter } from './decode/per-filter-decode.ts';
import { decodeMetadata, type RouteDecoding } from './decode/field-decode.ts';
import { decodeVirtualHost } from './decode/virtual-host-decode.ts';
import { decodeMirrors } from './mirror/decode.ts';
import { defaultMaxProgramSize } from './regex.ts';
import type { RouteConfigurationData, VirtualHostData } from './route-data.ts';
import { lowerAscii, wireText } from './wire-text.ts';

const tableFields = new SupportedFields(RouteConfigurationSchema, [
  'name',
  'virtual_hosts',
  'internal_only_headers',
  'response_headers_to_add',
  'response_headers_to_remove',
  'request_headers_to_add',
  'request_headers_to_remove',
  'most_specific_header_mutations_wins',
  'validate_clusters',
  'max_direct_response_body_size_bytes',
  'ignore_port_in_host_matching',
  'vhost_header',
  'ignore_path_parameters_in_path_matching',
  'typed_per_filter_config',
  'metadata',
  'request_mirror_policies',
  'vhds',
]);

/** Envoy: a direct response's body may be as long as this unless the route configuration says otherwise. */
const directBodyMax = 4096;

/**
 * A route configuration as plain data. Null: reasons were added. `maxProgramSize`: the runtime's
 * `re2.max_program_size.error_level`. `mayHaveVhds`: the caller acts on `vhds`.
 */
export function decodeRouteConfiguration(
  message: RouteConfiguration,
  reasons: Reasons,
  extensions: Extensions,
  maxProgramSize: number = defaultMaxProgramSize,
  mayHaveVhds = false,
): RouteConfigurationData | null {
  const before = reasons.list.length;
  tableFields.check(message, reasons);
  if (message.vhds !== undefined && !mayHaveVhds) reasons.unsupported('vhds');
  const decoding = decodingOf(message, extensions, maxProgramSize);
  const virtualHosts = message.virtualHosts.map((host, i) =>
    decodeVirtualHost(host, reasons.at('virtual_hosts', i), decoding),
  );
  checkDomains(virtualHosts, message.name, reasons);
  const data: RouteConfigurationData = {
    name: message.name,
    virtualHosts,
    requestHeaders: decodeRequestMutations(message, reasons),
    responseHeaders: decodeResponseMutations(message, reasons),
    mostSpecificHeaderMutationsWins: message.mostSpecificHeaderMutationsWins,
    internalOnlyHeaders: message.internalOnlyHeaders.map((name) => lowerAscii(wireText(name))),
    ignorePortInHostMatching: message.ignorePortInHostMatching,
    ignorePathParameters: message.ignorePathParametersInPathMatching,
    vhostHeader: lowerAscii(wireText(message.vhostHeader)),
    perFilter: decodePerFilter(message.typedPerFilterConfig, reasons, decoding),
    metadata: decodeMetadata(message.metadata, reasons),
    validateClusters: message.validateClusters ?? null,
    mirrors: decodeMirrors(message.requestMirrorPolicies, reasons),
  };
  return reasons.list.length > before ? null : data;
}

/** A virtual host that comes by itself into the route configuration `table`. Null: reasons were added. */
export function decodeDiscoveredHost(
  message: VirtualHost,
  table: RouteConfiguration,
  reasons: Reasons,
  extensions: Extensions,
  maxProgramSize: number = defaultMaxProgramSize,
): VirtualHostData | null {
  const before = reasons.list.length;
  const data = decodeVirtualHost(message, reasons, decodingOf(table, extensions, maxProgramSize));
  return reasons.list.length > before ? null : data;
}

function decodingOf(table: RouteConfiguration, extensions: Extensions, maxProgramSize: number): RouteDecoding {
  return { extensions, maxProgramSize, directBodyMax: table.maxDirectResponseBodySizeBytes ?? directBodyMax };
}

/** Envoy's words. */
export function checkDomains(virtualHosts: readonly VirtualHostData[], tableName: string, reasons: Reasons): void {
  const seen = new Set<string>();
  virtualHosts.forEach((host, i) =>
    host.domains.forEach((domain, j) => {
      if (seen.has(domain)) {
        const at = reasons.at('virtual_hosts', i).at('domains', j);
        if (domain === '*') at.add(`Only a single wildcard domain is permitted in route ${tableName}`);
        else {
          at.add(
            `Only unique values for domains are permitted. Duplicate entry of domain ${domain} in route ${tableName}`,
          );
        }
      }
      seen.add(domain);
    }),
  );
}
