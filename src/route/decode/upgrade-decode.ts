import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  ProxyProtocolConfig_Version,
  ProxyProtocolConfigSchema,
  type ProxyProtocolConfig,
} from '../../proto/envoy/config/core/v3/proxy_protocol_pb.js';
import {
  RouteAction_UpgradeConfig_ConnectConfigSchema,
  RouteAction_UpgradeConfigSchema,
  type RouteAction_UpgradeConfig,
  type RouteAction_UpgradeConfig_ConnectConfig,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import type { ConnectData, UpgradesData } from '../route-data.ts';

const upgradeFields = new SupportedFields(RouteAction_UpgradeConfigSchema, [
  'upgrade_type',
  'enabled',
  'connect_config',
]);
const connectFields = new SupportedFields(RouteAction_UpgradeConfig_ConnectConfigSchema, [
  'proxy_protocol_config',
  'allow_post',
]);
const proxyProtocolFields = new SupportedFields(ProxyProtocolConfigSchema, ['version']);

/** `upgrade_configs` of a route; null: there are none. */
export function decodeUpgrades(messages: readonly RouteAction_UpgradeConfig[], reasons: Reasons): UpgradesData | null {
  if (messages.length === 0) return null;
  const allowed = new Map<string, boolean>();
  let connect: ConnectData | null = null;
  messages.forEach((message, i) => {
    const at = reasons.at('upgrade_configs', i);
    upgradeFields.check(message, at);
    const type = message.upgradeType.toLowerCase();
    if (allowed.has(type)) at.add(`Duplicate upgrade ${message.upgradeType}`);
    allowed.set(type, message.enabled ?? true);
    // Datagrams have no sockets here.
    if (type === 'connect-udp') at.at('upgrade_type').add('connect-udp is not supported by sekisho');
    if (message.connectConfig === undefined) return;
    if (type !== 'connect') at.add(`Non-CONNECT upgrade type ${message.upgradeType} has ConnectConfig`);
    connect = decodeConnect(message.connectConfig, at.at('connect_config'));
  });
  return { allowed: [...allowed], connect };
}

function decodeConnect(message: RouteAction_UpgradeConfig_ConnectConfig, reasons: Reasons): ConnectData {
  connectFields.check(message, reasons);
  const { proxyProtocolConfig: config } = message;
  return {
    proxyProtocol: config === undefined ? 0 : versionOf(config, reasons.at('proxy_protocol_config')),
    allowsPost: message.allowPost,
  };
}

function versionOf(message: ProxyProtocolConfig, reasons: Reasons): 1 | 2 {
  proxyProtocolFields.check(message, reasons);
  return message.version === ProxyProtocolConfig_Version.V2 ? 2 : 1;
}
