import { isIP } from 'node:net';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { CidrRange } from '../../proto/envoy/config/core/v3/address_pb.js';
import {
  FilterChainMatch_ConnectionSourceType,
  FilterChainMatchSchema,
  type FilterChainMatch,
} from '../../proto/envoy/config/listener/v3/listener_components_pb.js';
import type { CidrData, FilterChainMatchData } from '../listener-data.ts';

const supported = new SupportedFields(FilterChainMatchSchema, [
  'destination_port',
  'prefix_ranges',
  'direct_source_prefix_ranges',
  'source_type',
  'source_prefix_ranges',
  'source_ports',
  'server_names',
  'transport_protocol',
  'application_protocols',
]);

/** A chain without filter_chain_match. */
export const anything: FilterChainMatchData = {
  destinationPort: null,
  prefixRanges: [],
  serverNames: [],
  transportProtocol: '',
  applicationProtocols: [],
  directSourcePrefixRanges: [],
  sourceType: 'ANY',
  sourcePrefixRanges: [],
  sourcePorts: [],
};

export function decodeFilterChainMatch(match: FilterChainMatch, reasons: Reasons): FilterChainMatchData {
  supported.check(match, reasons);
  return {
    destinationPort: match.destinationPort ?? null,
    prefixRanges: decodeRanges(match.prefixRanges, reasons, 'prefix_ranges'),
    serverNames: match.serverNames.map((name, i) => decodeServerName(name, reasons.at('server_names', i))),
    transportProtocol: match.transportProtocol,
    applicationProtocols: match.applicationProtocols,
    directSourcePrefixRanges: decodeRanges(match.directSourcePrefixRanges, reasons, 'direct_source_prefix_ranges'),
    sourceType: sourceTypes[match.sourceType] ?? 'ANY',
    sourcePrefixRanges: decodeRanges(match.sourcePrefixRanges, reasons, 'source_prefix_ranges'),
    sourcePorts: match.sourcePorts,
  };
}

const sourceTypes: Readonly<Record<number, FilterChainMatchData['sourceType']>> = {
  [FilterChainMatch_ConnectionSourceType.SAME_IP_OR_LOOPBACK]: 'SAME_IP_OR_LOOPBACK',
  [FilterChainMatch_ConnectionSourceType.EXTERNAL]: 'EXTERNAL',
};

function decodeRanges(ranges: readonly CidrRange[], reasons: Reasons, field: string): CidrData[] {
  return ranges.map((range, i) => {
    const bits = isIP(range.addressPrefix) === 6 ? 128 : 32;
    const length = range.prefixLen ?? 0;
    if (isIP(range.addressPrefix) === 0 || length > bits) {
      reasons
        .at(field, i)
        .add(`invalid ip/mask combo '${range.addressPrefix}/${length}' (format is <ip>/<# mask bits>)`);
    }
    return { address: range.addressPrefix, length: Math.min(length, bits) };
  });
}

/** Lower-case; `*.suffix` is the only wildcard (Envoy `FilterChainManagerImpl`). */
function decodeServerName(name: string, reasons: Reasons): string {
  if (name.includes('*') && !(name.startsWith('*.') && name.length > 2 && !name.slice(1).includes('*'))) {
    reasons.add(`partial wildcards are not supported in "server_names": '${name}'; use an exact name or '*.suffix'`);
  }
  return name.toLowerCase();
}
