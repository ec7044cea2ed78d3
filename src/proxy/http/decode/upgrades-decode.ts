import type { Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  HttpConnectionManager_UpgradeConfigSchema,
  type HttpConnectionManager_UpgradeConfig,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { decodeHttpFilters } from './filters-decode.ts';
import type { UpgradeData } from '../hcm-data.ts';

const upgradeFields = new SupportedFields(HttpConnectionManager_UpgradeConfigSchema, [
  'upgrade_type',
  'filters',
  'enabled',
]);

/** `upgrade_configs` of a connection manager. */
export function decodeUpgrades(
  messages: readonly HttpConnectionManager_UpgradeConfig[],
  reasons: Reasons,
  extensions: Extensions,
): UpgradeData[] {
  const types = new Set<string>();
  return messages.map((message, i) => {
    const at = reasons.at('upgrade_configs', i);
    upgradeFields.check(message, at);
    const type = message.upgradeType.toLowerCase();
    if (types.has(type)) at.add(`Error: multiple upgrade configs with the same name: '${message.upgradeType}'`);
    types.add(type);
    refuseUdp(type, at);
    return {
      type,
      isEnabled: message.enabled ?? true,
      filters: message.filters.length === 0 ? null : decodeHttpFilters(message.filters, at, extensions, 'filters'),
    };
  });
}

/** Datagrams have no sockets here. */
function refuseUdp(type: string, reasons: Reasons): void {
  if (type === 'connect-udp') reasons.at('upgrade_type').add('connect-udp is not supported by sekisho');
}
