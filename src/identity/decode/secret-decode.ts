import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  TlsSessionTicketKeysSchema,
  type TlsSessionTicketKeys,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  GenericSecretSchema,
  SecretSchema,
  type GenericSecret,
  type Secret,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { toBinary } from '../../proto/protobuf.js';
import type { GenericSecret as GenericSecretData, SecretData, TicketKeysSecret } from '../secret-data.ts';
import type { DecodedSecret } from '../secret-source-data.ts';
import { decodeCertificate } from './certificate-decode.ts';
import { because, SourceReader } from './data-source-decode.ts';
import { decodeValidation } from './validation-decode.ts';

const supported = new SupportedFields(SecretSchema, [
  'name',
  'tls_certificate',
  'session_ticket_keys',
  'validation_context',
  'generic_secret',
]);
const ticketFields = new SupportedFields(TlsSessionTicketKeysSchema, ['keys']);
const genericFields = new SupportedFields(GenericSecretSchema, ['secret', 'secrets']);

/** Name 16, HMAC key 32, AES key 32. */
const ticketKeyLength = 80;

/** A Secret as SDS brings it. Null: reasons were added. */
export function decodeSecret(message: Secret, reasons: Reasons): SecretData | null {
  return decodeWholeSecret(message, reasons)?.data ?? null;
}

/** With what it takes to read it anew. Null: reasons were added. */
export function decodeWholeSecret(message: Secret, reasons: Reasons): DecodedSecret | null {
  const before = reasons.list.length;
  supported.check(message, reasons);
  const reader = new SourceReader();
  const data = decodeType(message.type, reasons, reader);
  if (data === null || reasons.list.length > before) return null;
  return { name: message.name, data, message: toBinary(SecretSchema, message), directories: [...reader.directories] };
}

function decodeType(type: Secret['type'], reasons: Reasons, reader: SourceReader): SecretData | null {
  switch (type.case) {
    case 'tlsCertificate':
      return decodeCertificate(type.value, reasons.at('tls_certificate'), reader);
    case 'validationContext':
      return decodeValidation(type.value, reasons.at('validation_context'), reader, false);
    case 'sessionTicketKeys':
      return decodeTicketKeys(type.value, reasons.at('session_ticket_keys'), reader);
    case 'genericSecret':
      return decodeGeneric(type.value, reasons.at('generic_secret'), reader);
    default:
      reasons.add('Secret type not implemented');
      return null;
  }
}

export function decodeTicketKeys(
  message: TlsSessionTicketKeys,
  reasons: Reasons,
  reader: SourceReader,
): TicketKeysSecret {
  ticketFields.check(message, reasons);
  const keys = message.keys.map((source, i) => {
    const at = reasons.at('keys', i);
    const read = reader.read(source, at);
    const { length } = read.bytes;
    if (read.problem !== '') at.add(read.problem);
    else if (length !== ticketKeyLength)
      at.add(`Incorrect TLS session ticket key length. Length ${length}, expected length ${ticketKeyLength}.`);
    return read.bytes;
  });
  return { kind: 'ticket-keys', keys };
}

function decodeGeneric(message: GenericSecret, reasons: Reasons, reader: SourceReader): GenericSecretData {
  genericFields.check(message, reasons);
  const read = (source: GenericSecret['secret'], at: Reasons): Uint8Array => {
    const found = reader.read(source, at);
    if (found.problem !== '') at.add(`Failed to load the generic secret${because(found)}`);
    return found.bytes;
  };
  const values = Object.entries(message.secrets).map(
    ([name, source]) => [name, read(source, reasons.at('secrets', name))] as const,
  );
  return { kind: 'generic', value: read(message.secret, reasons.at('secret')), values: Object.fromEntries(values) };
}
