import type { JsonObject } from '@bufbuild/protobuf';
import type { Address } from '../core/peer.ts';

/** An address as `envoy.config.core.v3.Address` in JSON. */
export function addressJson(address: Address): JsonObject {
  if (address.kind === 'pipe') return { pipe: { path: address.host } };
  if (address.kind === 'internal') return { envoy_internal_address: { server_listener_name: address.host } };
  return { socket_address: { address: address.host, port_value: address.port } };
}
