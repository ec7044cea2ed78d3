import { inId, outId } from '../certificates.ts';
import type { PairShape, Place } from '../target.ts';

const types = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.';
const file = (filename: string) => ({ filename });
const tls13 = { tls_maximum_protocol_version: 'TLSv1_3' };

function presents({ certificates, side }: Place): object {
  const { chain, key } = certificates[side];
  return { tls_certificates: [{ certificate_chain: file(chain), private_key: file(key) }] };
}

function trusts({ certificates }: Place, id: string): object {
  return {
    validation_context: {
      trusted_ca: file(certificates.ca),
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: id } }],
    },
  };
}

function socket(type: string, common: object, more: object): object {
  const typed = { '@type': `${types}${type}`, common_tls_context: common, ...more };
  return { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: typed } };
}

/** For clients without a certificate. */
export function servesClients(place: Place): object {
  return socket('DownstreamTlsContext', { ...presents(place), alpn_protocols: ['h2', 'http/1.1'] }, {});
}

const alpn = (shape: PairShape) => ({ alpn_protocols: [shape === 'mtls-h2' ? 'h2' : 'http/1.1'] });

/** For the other sidecar, by its SPIFFE id. */
export function servesSidecars(shape: PairShape, place: Place): object {
  const common = { ...presents(place), ...trusts(place, outId), ...alpn(shape), tls_params: tls13 };
  return socket('DownstreamTlsContext', common, { require_client_certificate: true });
}

export function dialsSidecars(shape: PairShape, place: Place, more: object = {}): object {
  const common = { ...presents(place), ...trusts(place, inId), ...alpn(shape), tls_params: tls13 };
  return socket('UpstreamTlsContext', common, { sni: 'bench.example.com', ...more });
}

/** What a sidecar tells its upstream of the client. */
export const describesClients = {
  forward_client_cert_details: 'SANITIZE_SET',
  set_current_client_cert_details: { uri: true },
};
