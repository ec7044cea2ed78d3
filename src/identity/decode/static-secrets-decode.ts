import type { Reasons } from '../../core/rejection.ts';
import type { Secret } from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { SecretSources } from '../secret-sources.ts';

/** Envoy's names of the kinds, in its sentence about duplicates. */
const kinds = {
  tlsCertificate: { kind: 'certificate', name: 'TlsCertificate' },
  validationContext: { kind: 'validation', name: 'CertificateValidationContext' },
  sessionTicketKeys: { kind: 'ticket-keys', name: 'TlsSessionTicketKeys' },
  genericSecret: { kind: 'generic', name: 'GenericSecret' },
} as const;

/**
 * `static_resources.secrets`: known by name to what is decoded after them, and read when something names them.
 * @param reasons at `static_resources`
 */
export function collectStaticSecrets(messages: readonly Secret[], reasons: Reasons, sources: SecretSources): void {
  for (const [i, message] of messages.entries()) {
    const at = reasons.at('secrets', i);
    const { case: type } = message.type;
    if (type === undefined) {
      at.add('Secret type not implemented');
      continue;
    }
    const { kind, name } = kinds[type];
    if (!sources.addStatic(kind, message.name, { message, reasons: at, decoded: undefined }))
      at.at('name').add(`Duplicate static ${name} secret name ${message.name}`);
  }
}
