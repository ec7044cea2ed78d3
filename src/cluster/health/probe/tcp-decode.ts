import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  HealthCheck_TcpHealthCheckSchema,
  type HealthCheck_TcpHealthCheck,
} from '../../../proto/envoy/config/core/v3/health_check_pb.js';
import {
  ProxyProtocolConfig_Version,
  ProxyProtocolConfigSchema,
} from '../../../proto/envoy/config/core/v3/proxy_protocol_pb.js';
import type { TcpProbeData } from '../health-check-data.ts';
import { decodePayload } from './payload-decode.ts';

const supported = new SupportedFields(HealthCheck_TcpHealthCheckSchema, ['send', 'receive', 'proxy_protocol_config']);
const supportedProxyProtocol = new SupportedFields(ProxyProtocolConfigSchema, ['version']);

export function decodeTcpProbe(check: HealthCheck_TcpHealthCheck, reasons: Reasons): TcpProbeData {
  supported.check(check, reasons);
  const { proxyProtocolConfig } = check;
  if (proxyProtocolConfig !== undefined)
    supportedProxyProtocol.check(proxyProtocolConfig, reasons.at('proxy_protocol_config'));
  // As Envoy: what is sent is given in hex; bytes as they are would be left out.
  const send = check.send?.payload.case === 'text' && check.send.payload.value !== '' ? check.send : undefined;
  return {
    kind: 'tcp',
    send: send === undefined ? null : decodePayload(send, reasons.at('send')),
    receive: check.receive.map((payload, i) => decodePayload(payload, reasons.at('receive', i))),
    proxyProtocol:
      proxyProtocolConfig === undefined ? null : proxyProtocolConfig.version === ProxyProtocolConfig_Version.V2 ? 2 : 1,
  };
}
