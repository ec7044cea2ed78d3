import { digestOf } from '../../core/digest.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  SdsSecretConfigSchema,
  SecretSchema,
  type SdsSecretConfig,
  type Secret,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { create, toBinary } from '../../proto/protobuf.js';
import type { SecretData, SecretRef } from '../secret-data.ts';
import type { DecodedSecret } from '../secret-source-data.ts';
import { SecretSources } from '../secret-sources.ts';
import { decodeConfigSource } from './config-source-decode.ts';
import { SourceReader } from './data-source-decode.ts';
import { decodeWholeSecret } from './secret-decode.ts';

const supported = new SupportedFields(SdsSecretConfigSchema, ['name', 'sds_config']);

type SecretOf<Kind extends SecretData['kind']> = Extract<SecretData, { kind: Kind }>;

/** Envoy's words for a static secret that there is none of. */
const unknownStatic: Readonly<Record<SecretData['kind'], string>> = {
  certificate: 'Unknown static secret',
  validation: 'Unknown static certificate validation context',
  'ticket-keys': 'Unknown tls session ticket keys',
  generic: 'Unknown static generic secret',
};

/** A secret by SDS, or a static one where there is no `sds_config`. Null: reasons were added. */
export function decodeSdsSecret<Kind extends SecretData['kind']>(
  message: SdsSecretConfig,
  kind: Kind,
  reasons: Reasons,
  extensions: Extensions,
): SecretRef<SecretOf<Kind>> | null {
  supported.check(message, reasons);
  const { name } = message;
  const sources = SecretSources.of(extensions);
  if (message.sdsConfig === undefined) {
    const secret = sources?.findStatic(kind, name);
    if (secret === undefined || secret === null) {
      reasons.at('name').add(`${unknownStatic[kind]}: ${name}`);
      return null;
    }
    if (secret.decoded === undefined) secret.decoded = decodeWholeSecret(secret.message as Secret, secret.reasons);
    return secret.decoded === null ? null : writtenSecret<SecretOf<Kind>>(secret.decoded, extensions);
  }
  const at = reasons.at('sds_config');
  const source = decodeConfigSource(message.sdsConfig, at, name);
  if (source === null) return null;
  if (sources === null) {
    at.add('secrets by SDS are not supported by sekisho here');
    return null;
  }
  const key = `sds/${kind}/${name}/${digest(JSON.stringify(source))}`;
  sources.need({ key, name, kind, from: { kind: 'sds', source } });
  return { key, inline: null };
}

/**
 * A secret that is written in the configuration: plain data, or kept by the store where its files are watched.
 * @param decode reads `type` with the reader it is given
 */
export function decodeInlineSecret<Data extends SecretData>(
  type: Secret['type'],
  reasons: Reasons,
  extensions: Extensions,
  decode: (reader: SourceReader) => Data,
): SecretRef<Data> {
  const reader = new SourceReader();
  const data = decode(reader);
  const directories = [...reader.directories];
  if (directories.length === 0 || !reasons.isEmpty) return { key: '<inline>', inline: data };
  const message = toBinary(SecretSchema, create(SecretSchema, { name: '<inline>', type }));
  return writtenSecret<Data>({ name: '<inline>', data, message, directories }, extensions);
}

function writtenSecret<Data extends SecretData>(secret: DecodedSecret, extensions: Extensions): SecretRef<Data> {
  const { name, data, message, directories } = secret;
  const sources = SecretSources.of(extensions);
  // What `kind` the static secret is of was part of the search for it.
  if (directories.length === 0 || sources === null) return { key: name, inline: data as Data };
  const key = `files/${data.kind}/${name}/${digest(message)}`;
  sources.need({ key, name, kind: data.kind, from: { kind: 'files', message, directories, initial: data } });
  return { key, inline: null };
}

function digest(content: string | Uint8Array): string {
  return digestOf(content);
}
