/** Secrets that a recording names and does not have: of files of the pod, and of credentials of gateways. */
import { SecretSchema, type Secret } from '../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyPack, anyUnpack, create, fromBinary, toBinary } from '../../src/proto/protobuf.js';
import { secretKind } from '../../src/control/xds/resource-kinds.ts';

/** As the agent's own certificate and root, by other names. */
export class UnrecordedSecrets {
  private readonly certificate: Secret;
  private readonly root: Secret;

  /** `responses`: the agent's, with `default` and `ROOTCA`. */
  constructor(responses: readonly Uint8Array[]) {
    const secrets = responses
      .flatMap((bytes) => fromBinary(DiscoveryResponseSchema, bytes).resources)
      .map((resource) => anyUnpack(resource, SecretSchema)!);
    this.certificate = secrets.find(({ name }) => name === 'default')!;
    this.root = secrets.find(({ name }) => name === 'ROOTCA')!;
  }

  /** A response with all of these. */
  answer(names: readonly string[], isDelta: boolean): Uint8Array {
    const fields = { typeUrl: secretKind.typeUrl, nonce: names.join(' ') };
    if (!isDelta) {
      const resources = names.map((name) => anyPack(SecretSchema, this.named(name)));
      const response = create(DiscoveryResponseSchema, { ...fields, versionInfo: '1', resources });
      return toBinary(DiscoveryResponseSchema, response);
    }
    const resources = names.map((name) => ({
      name,
      version: '1',
      resource: anyPack(SecretSchema, this.named(name)),
    }));
    return toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, { ...fields, resources }));
  }

  private named(name: string): Secret {
    const isRoot = name.startsWith('file-root:') || name.endsWith('-cacert');
    return create(SecretSchema, { name, type: (isRoot ? this.root : this.certificate).type });
  }
}
