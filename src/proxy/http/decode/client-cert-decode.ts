import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  HttpConnectionManager_ForwardClientCertDetails as Mode,
  HttpConnectionManager_ForwardClientCertFormat as Format,
  HttpConnectionManager_SetCurrentClientCertDetailsSchema,
  type HttpConnectionManager,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ClientCertData } from '../hcm-data.ts';

const detailFields = new SupportedFields(HttpConnectionManager_SetCurrentClientCertDetailsSchema, [
  'subject',
  'cert',
  'chain',
  'dns',
  'uri',
  'format',
]);

const modes: Readonly<Record<Mode, ClientCertData['mode']>> = {
  [Mode.SANITIZE]: 'SANITIZE',
  [Mode.FORWARD_ONLY]: 'FORWARD_ONLY',
  [Mode.APPEND_FORWARD]: 'APPEND_FORWARD',
  [Mode.SANITIZE_SET]: 'SANITIZE_SET',
  [Mode.ALWAYS_FORWARD_ONLY]: 'ALWAYS_FORWARD_ONLY',
};

const formats: Readonly<Record<Format, ClientCertData['format']>> = {
  [Format.TEXT]: 'TEXT',
  [Format.JSON]: 'JSON',
};

/** `forward_client_cert_details` and `set_current_client_cert_details`. */
export function decodeClientCert(message: HttpConnectionManager, reasons: Reasons): ClientCertData {
  const details = message.setCurrentClientCertDetails;
  if (details !== undefined) detailFields.check(details, reasons.at('set_current_client_cert_details'));
  return {
    mode: modes[message.forwardClientCertDetails],
    subject: details?.subject ?? false,
    cert: details?.cert ?? false,
    chain: details?.chain ?? false,
    dns: details?.dns ?? false,
    uri: details?.uri ?? false,
    format: formats[details?.format ?? Format.TEXT],
  };
}
