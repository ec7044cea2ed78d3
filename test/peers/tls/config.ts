import { load } from 'js-yaml';
import type { Yaml } from '../config.ts';

const types = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.';

const fields = (yaml: string): Yaml => (load(yaml) as Yaml | undefined) ?? {};

/** `tls_certificates` of certificates.ts, by their names. */
function certificates(names: readonly string[]): Yaml {
  if (names.length === 0) return {};
  const file = (name: string, kind: string) => ({ filename: `{{${name}_${kind}}}` });
  return {
    tls_certificates: names.map((name) => ({ certificate_chain: file(name, 'pem'), private_key: file(name, 'key') })),
  };
}

/** Trusts what `ca` has signed, with further fields in YAML. */
export const trusting = (more = '{}', bundle = 'ca'): Yaml => ({
  validation_context: { trusted_ca: { filename: `{{${bundle}_pem}}` }, ...fields(more) },
});

/**
 * A listener's transport socket.
 * @param common fields of its CommonTlsContext
 * @param context fields of the DownstreamTlsContext, YAML
 */
export function serverTls(names: readonly string[] = ['server'], common: Yaml = {}, context = '{}'): Yaml {
  const common_tls_context = { ...certificates(names), ...common };
  const typed = { '@type': `${types}DownstreamTlsContext`, common_tls_context, ...fields(context) };
  return { name: 'envoy.transport_sockets.tls', typed_config: typed };
}

/** A cluster's transport socket; presents nothing unless names are given. */
export function clientTls(names: readonly string[] = [], common: Yaml = {}, context = '{}'): Yaml {
  const common_tls_context = { ...certificates(names), ...common };
  const typed = { '@type': `${types}UpstreamTlsContext`, common_tls_context, ...fields(context) };
  return { name: 'envoy.transport_sockets.tls', typed_config: typed };
}

/** What logs can tell of a client's TLS, and of the upstream's. */
export const downstreamOperators: readonly string[] = [
  'REQUESTED_SERVER_NAME',
  'DOWNSTREAM_TLS_VERSION',
  'DOWNSTREAM_TLS_CIPHER',
  'DOWNSTREAM_TLS_GROUP',
  'DOWNSTREAM_TLS_SESSION_ID',
  'DOWNSTREAM_HANDSHAKE_DURATION',
  'DOWNSTREAM_TRANSPORT_FAILURE_REASON',
  'DOWNSTREAM_LOCAL_DNS_SAN',
  'DOWNSTREAM_LOCAL_EMAIL_SAN',
  'DOWNSTREAM_LOCAL_IP_SAN',
  'DOWNSTREAM_LOCAL_OTHERNAME_SAN',
  'DOWNSTREAM_LOCAL_SUBJECT',
  'DOWNSTREAM_LOCAL_URI_SAN',
  'DOWNSTREAM_PEER_CERT',
  'DOWNSTREAM_PEER_CERT_V_START',
  'DOWNSTREAM_PEER_CERT_V_END',
  'DOWNSTREAM_PEER_CERT_V_START(%b %e %H:%M:%S %Y %Z %f)',
  'DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1',
  'DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256',
  'DOWNSTREAM_PEER_CHAIN_SERIALS',
  'DOWNSTREAM_PEER_DNS_SAN',
  'DOWNSTREAM_PEER_EMAIL_SAN',
  'DOWNSTREAM_PEER_FINGERPRINT_1',
  'DOWNSTREAM_PEER_FINGERPRINT_256',
  'DOWNSTREAM_PEER_IP_SAN',
  'DOWNSTREAM_PEER_ISSUER',
  'DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256',
  'DOWNSTREAM_PEER_ISSUER_SERIAL',
  'DOWNSTREAM_PEER_OTHERNAME_SAN',
  'DOWNSTREAM_PEER_SERIAL',
  'DOWNSTREAM_PEER_SUBJECT',
  'DOWNSTREAM_PEER_URI_SAN',
  'TLS_JA3_FINGERPRINT',
  'TLS_JA4_FINGERPRINT',
];

export const upstreamOperators: readonly string[] = [
  'UPSTREAM_SERVER_NAME',
  'UPSTREAM_TLS_VERSION',
  'UPSTREAM_TLS_CIPHER',
  'UPSTREAM_TLS_GROUP',
  'UPSTREAM_TLS_SESSION_ID',
  'UPSTREAM_TRANSPORT_FAILURE_REASON',
  'UPSTREAM_LOCAL_DNS_SAN',
  'UPSTREAM_LOCAL_IP_SAN',
  'UPSTREAM_LOCAL_URI_SAN',
  'UPSTREAM_PEER_CERT',
  'UPSTREAM_PEER_CERT_V_START',
  'UPSTREAM_PEER_CERT_V_END',
  'UPSTREAM_PEER_DNS_SAN',
  'UPSTREAM_PEER_IP_SAN',
  'UPSTREAM_PEER_ISSUER',
  'UPSTREAM_PEER_SUBJECT',
  'UPSTREAM_PEER_URI_SAN',
];
