import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  HealthCheck_PayloadSchema,
  type HealthCheck_Payload,
} from '../../../proto/envoy/config/core/v3/health_check_pb.js';

const supported = new SupportedFields(HealthCheck_PayloadSchema, ['text', 'binary']);

/** Bytes as they are, or in hex. */
export function decodePayload(message: HealthCheck_Payload, reasons: Reasons): Uint8Array {
  supported.check(message, reasons);
  const { payload } = message;
  if (payload.case === 'binary') return payload.value;
  const text = payload.case === 'text' ? payload.value : '';
  const isHex = /^(?:[0-9a-fA-F]{2})+$/.test(text);
  if (!isHex) reasons.at('text').add(`invalid hex string '${text}'`);
  return isHex ? Uint8Array.from(Buffer.from(text, 'hex')) : new Uint8Array(0);
}
