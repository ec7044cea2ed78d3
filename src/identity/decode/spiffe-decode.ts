import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  TypedExtensionConfigSchema,
  type TypedExtensionConfig,
} from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  SPIFFECertValidatorConfig_TrustDomainSchema,
  SPIFFECertValidatorConfigSchema,
  type SPIFFECertValidatorConfig,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { checkTrustDomain, readTrustBundles } from '../spiffe-bundle.ts';
import { because, textOf, type SourceReader } from './data-source-decode.ts';

const extensionFields = new SupportedFields(TypedExtensionConfigSchema, ['name', 'typed_config']);
const supported = new SupportedFields(SPIFFECertValidatorConfigSchema, ['trust_domains', 'trust_bundles']);
const domainFields = new SupportedFields(SPIFFECertValidatorConfig_TrustDomainSchema, ['name', 'trust_bundle']);

/** `custom_validator_config`: trust domain → PEM of its roots. Reasons are added where it cannot be used. */
export function decodeSpiffeValidator(
  message: TypedExtensionConfig,
  reasons: Reasons,
  reader: SourceReader,
): Readonly<Record<string, string>> {
  extensionFields.check(message, reasons);
  const { name, typedConfig } = message;
  // Like Envoy: the name decides, not the type.
  if (name !== 'envoy.tls.cert_validator.spiffe') {
    reasons.add(
      `Failed to get certificate validator factory for ${name}; only envoy.tls.cert_validator.spiffe is supported by sekisho`,
    );
    return {};
  }
  const at = reasons.at('typed_config');
  if (typedConfig === undefined) return {};
  if (!typedConfig.typeUrl.endsWith(`/${SPIFFECertValidatorConfigSchema.typeName}`)) {
    at.add(`certificate validator '${name}' of type '${typedConfig.typeUrl}' is not supported by sekisho`);
    return {};
  }
  return decodeDomains(fromBinary(SPIFFECertValidatorConfigSchema, typedConfig.value), at, reader);
}

function decodeDomains(
  config: SPIFFECertValidatorConfig,
  reasons: Reasons,
  reader: SourceReader,
): Readonly<Record<string, string>> {
  supported.check(config, reasons);
  if (config.trustBundles !== undefined) {
    const at = reasons.at('trust_bundles');
    const read = reader.read(config.trustBundles, at);
    const { domains, problem } =
      read.problem === '' ? readTrustBundles(textOf(read)) : { domains: {}, problem: read.problem };
    if (problem !== '') at.add(problem);
    return domains;
  }
  const domains: Record<string, string> = {};
  for (const [i, domain] of config.trustDomains.entries()) {
    const at = reasons.at('trust_domains', i);
    domainFields.check(domain, at);
    if (Object.hasOwn(domains, domain.name))
      at.at('name').add(`Multiple trust bundles are given for one trust domain for ${domain.name}`);
    const source = at.at('trust_bundle');
    const read = reader.read(domain.trustBundle, source);
    const pem = textOf(read);
    const problem = checkTrustDomain(domain.name, pem);
    if (problem !== '') source.add(problem + because(read));
    domains[domain.name] = pem;
  }
  return domains;
}
