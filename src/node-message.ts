import type { Accepted } from './app.ts';
import { versionString } from './cli/version.ts';
import {
  BuildVersionSchema,
  LocalitySchema,
  NodeSchema,
  type BuildVersion,
  type Node,
} from './proto/envoy/config/core/v3/base_pb.js';
import { SemanticVersionSchema } from './proto/envoy/type/v3/semantic_version_pb.js';
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
  node.userAgentVersionType = { case: 'userAgentBuildVersion', value: buildVersion() };
  return node;
}

/** The parts of the version that `/server_info` has, under Envoy's keys. */
function buildVersion(): BuildVersion {
  const [revision, version, status, type, library] = versionString(process.versions.openssl).split('/');
  const [majorNumber, minorNumber, patch] = version.split('.').map(Number);
  return create(BuildVersionSchema, {
    version: create(SemanticVersionSchema, { majorNumber, minorNumber, patch }),
    metadata: {
      'revision.sha': revision,
      'revision.status': status,
      'build.type': type,
      'ssl.version': library,
    },
  });
}
