import type { Accepted } from './app.ts';
import { LocalitySchema, NodeSchema, type Node } from './proto/envoy/config/core/v3/base_pb.js';
import { clone, create } from './proto/protobuf.js';

/** The bootstrap's node with what the command line says of it: as control planes and the admin are told. */
export function nodeMessage({ message, data }: Accepted): Node {
  const node = message.node === undefined ? create(NodeSchema) : clone(NodeSchema, message.node);
  node.id = data.node.id;
  node.cluster = data.node.cluster;
  if (data.node.locality.zone !== '') {
    node.locality ??= create(LocalitySchema);
    node.locality.zone = data.node.locality.zone;
  }
  node.userAgentName = 'sekisho';
  return node;
}
