import { validate } from '../../config/validator.ts';
import { Reasons } from '../../core/rejection.ts';
import type { SecretData } from '../../identity/secret-data.ts';
import { SecretSchema, type Secret } from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { clone, fromBinary } from '../../proto/protobuf.js';
import { filesOf, takeInFiles, type WatchedPlace } from './secret-files.ts';

/** A Secret → plain data, or reasons; what files it names is read already. */
export type SecretDecoder = (secret: Secret, reasons: Reasons) => SecretData | null;

/** A Secret that can be used. */
export interface ReadSecret {
  readonly data: SecretData;
  /** With the files' contents in the place of their names. */
  readonly message: Secret;
  /** Where changes show. Empty: it is not made of files. */
  readonly watched: readonly WatchedPlace[];
}

const kindNames: Readonly<Record<SecretData['kind'], string>> = {
  certificate: 'tls_certificate',
  validation: 'validation_context',
  'ticket-keys': 'session_ticket_keys',
  generic: 'generic_secret',
};

/**
 * Reads a packed Secret and its files.
 * @param namesFiles what is written in the configuration says which files it is made of; of what comes by SDS nobody does
 * @returns a sentence where it cannot be used: what is wrong, and in which field or file
 */
export function readSecret(
  packed: Uint8Array,
  kind: SecretData['kind'],
  decode: SecretDecoder,
  namesFiles = false,
): ReadSecret | string {
  let given: Secret;
  try {
    given = fromBinary(SecretSchema, packed);
  } catch (error) {
    return `the secret cannot be read: ${(error as Error).message}`;
  }
  const broken = validate(SecretSchema, given).filter(({ isWarning }) => isWarning !== true);
  if (broken.length > 0) return broken.map(({ path, message }) => `${path}: ${message}`).join('; ');
  const { paths, watched } = filesOf(given);
  const message = clone(SecretSchema, given);
  const unread = takeInFiles(message);
  if (unread !== '') return unread;
  const reasons = new Reasons();
  const data = decode(message, reasons);
  if (data === null || !reasons.isEmpty) return sentence(reasons, paths);
  if (data.kind !== kind) return `a ${kindNames[kind]} is needed, and it is a ${kindNames[data.kind]}`;
  return { data: namesFiles ? withOrigins(data, paths) : data, message, watched };
}

/** As the decoder says it where it reads the files itself. */
function withOrigins(data: SecretData, paths: ReadonlyMap<string, string>): SecretData {
  if (data.kind === 'certificate') {
    const origin = paths.get('tls_certificate.certificate_chain') ?? paths.get('tls_certificate.pkcs12');
    return { ...data, origin: origin ?? data.origin };
  }
  if (data.kind !== 'validation') return data;
  return {
    ...data,
    trustedCaOrigin: paths.get('validation_context.trusted_ca') ?? data.trustedCaOrigin,
    crlOrigin: paths.get('validation_context.crl') ?? data.crlOrigin,
  };
}

/** Each reason with the file that its field was read from. */
function sentence({ list }: Reasons, paths: ReadonlyMap<string, string>): string {
  const said = list.map(({ path, message }) => {
    const file = [...paths].find(([field]) => path === field || path.startsWith(`${field}.`));
    return file === undefined ? `${path}: ${message}` : `${path} (${file[1]}): ${message}`;
  });
  return said.length === 0 ? 'the secret cannot be used' : said.join('; ');
}
