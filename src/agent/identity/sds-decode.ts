import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { SecretSchema } from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { anyPack, create, fromBinary, toBinary } from '../../proto/protobuf.js';
import type { Secret } from './secret.ts';

export const streamSecretsPath = '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets';

const secretType = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

/** What a proxy asks for, or says of what it has got. */
export interface SecretRequest {
  readonly names: readonly string[];
  readonly nonce: string;
  /** Why it refuses the last answer; empty: it took it. */
  readonly refusal: string;
}

/** @throws Error: it is no such message */
export function decodeSecretRequest(bytes: Uint8Array): SecretRequest {
  const { resourceNames, responseNonce, errorDetail } = fromBinary(DiscoveryRequestSchema, bytes);
  return {
    names: resourceNames,
    nonce: responseNonce,
    refusal: errorDetail === undefined ? '' : errorDetail.message || 'no reason given',
  };
}

export interface SecretAnswer {
  readonly secrets: readonly (readonly [name: string, secret: Secret])[];
  readonly version: string;
  readonly nonce: string;
}

/** `DiscoveryResponse`, as Istio's agent writes it. */
export function encodeSecretAnswer({ secrets, version, nonce }: SecretAnswer): Uint8Array {
  return toBinary(
    DiscoveryResponseSchema,
    create(DiscoveryResponseSchema, {
      versionInfo: version,
      resources: secrets.map(([name, secret]) =>
        anyPack(SecretSchema, create(SecretSchema, { name, type: typeOf(secret) })),
      ),
      typeUrl: secretType,
      nonce,
    }),
  );
}

function typeOf(secret: Secret) {
  if (secret.kind === 'certificate')
    return {
      case: 'tlsCertificate' as const,
      value: { certificateChain: inline(secret.chain), privateKey: inline(secret.key) },
    };
  return {
    case: 'validationContext' as const,
    value: {
      trustedCa: inline(secret.roots),
      ...(secret.revoked === '' ? {} : { crl: { specifier: { case: 'filename' as const, value: secret.revoked } } }),
    },
  };
}

function inline(text: string) {
  return { specifier: { case: 'inlineBytes' as const, value: new TextEncoder().encode(text) } };
}
