import type { Extensions } from '../../../../src/core/extension.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeDownstreamTls } from '../../../../src/identity/decode/downstream-tls-decode.ts';
import { decodeUpstreamTls } from '../../../../src/identity/decode/upstream-tls-decode.ts';
import { SecretSources } from '../../../../src/identity/secret-sources.ts';
import type { DownstreamTlsData, UpstreamTlsData } from '../../../../src/identity/tls-context-data.ts';
import type {
  CertificateValidationContextSchema,
  TlsCertificateSchema,
} from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { create } from '../../../../src/proto/protobuf.js';
import { Authority, type Issued } from '../../../certificates.ts';

type Init<Schema extends Parameters<typeof create>[0]> = NonNullable<Parameters<typeof create<Schema>>[1]>;
type CommonInit = Init<typeof CommonTlsContextSchema>;
export type CertificateInit = Init<typeof TlsCertificateSchema>;
export type ValidationInit = Init<typeof CertificateValidationContextSchema>;

export const root = await Authority.root();
export const server = await root.issue({ dns: ['server.test'] });
export const other = await root.issue({ dns: ['other.test'] });
export const rsa = await root.issue({ key: 'rsa', dns: ['rsa.test'] });

/** What a context was decoded to, and why not. */
export interface Decoded<Data> {
  readonly data: Data | null;
  readonly reasons: readonly string[];
  readonly sources: SecretSources;
}

export function inline(text: string) {
  return { specifier: { case: 'inlineString' as const, value: text } };
}

export function bytes(value: Uint8Array) {
  return { specifier: { case: 'inlineBytes' as const, value } };
}

export function file(path: string) {
  return { specifier: { case: 'filename' as const, value: path } };
}

export function pair({ chainPem, keyPem }: Issued): CertificateInit {
  return { certificateChain: inline(chainPem), privateKey: inline(keyPem) };
}

export const trustedCa = inline(root.rootPem);

/** Of a server with one certificate unless told. */
export function downstream(
  common: CommonInit,
  rest: Init<typeof DownstreamTlsContextSchema> = {},
  sources = new SecretSources(),
): Decoded<DownstreamTlsData> {
  const commonTlsContext = create(CommonTlsContextSchema, { tlsCertificates: [pair(server)], ...common });
  const message = create(DownstreamTlsContextSchema, { ...rest, commonTlsContext });
  return decoded((reasons, extensions) => decodeDownstreamTls(message, reasons, extensions), sources);
}

export function upstream(
  common: CommonInit,
  rest: Init<typeof UpstreamTlsContextSchema> = {},
  sources = new SecretSources(),
): Decoded<UpstreamTlsData> {
  const commonTlsContext = create(CommonTlsContextSchema, common);
  const message = create(UpstreamTlsContextSchema, { ...rest, commonTlsContext });
  return decoded((reasons, extensions) => decodeUpstreamTls(message, reasons, extensions), sources);
}

/** A server that verifies by this. */
export function validating(value: ValidationInit): Decoded<DownstreamTlsData> {
  return downstream({ validationContextType: { case: 'validationContext', value } });
}

function decoded<Data>(
  decode: (reasons: Reasons, extensions: Extensions) => Data | null,
  sources: SecretSources,
): Decoded<Data> {
  const reasons = new Reasons();
  const data = decode(reasons, { secrets: sources, open: () => null });
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`), sources };
}
