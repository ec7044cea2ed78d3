import type { Authority, Issued } from '../../certificates.ts';
import { httpListener, type HttpListenerParts } from '../config.ts';

type Json = Record<string, unknown>;

/** What a TLS listener shows and wants. */
export interface Secured {
  readonly authority: Authority;
  readonly server: Issued;
  /** Further fields of its CommonTlsContext. */
  readonly common?: Json;
  /** Further fields of its DownstreamTlsContext. */
  readonly context?: Json;
}

/** An HTTP listener behind TLS that offers h2 and http/1.1 and trusts the clients of the authority. */
export function securedListener(secured: Secured, parts: HttpListenerParts = {}): Json {
  const listener = httpListener(parts);
  const [chain] = listener['filter_chains'] as Json[];
  const inline = (text: string): Json => ({ inline_string: text });
  const transport = {
    name: 'tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      ...secured.context,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [
          { certificate_chain: inline(secured.server.chainPem), private_key: inline(secured.server.keyPem) },
        ],
        validation_context: { trusted_ca: inline(secured.authority.rootPem) },
        ...secured.common,
      },
    },
  };
  return { ...listener, filter_chains: [{ ...chain, transport_socket: transport }] };
}
