import type { Any } from '@bufbuild/protobuf/wkt';
import { ResourceSchema, type Resource } from '../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyIs, anyUnpack } from '../../proto/protobuf.js';
import type { OpenedResource, ResourceKind } from './resource-kind.ts';

/**
 * Opens a response: each resource is of `kind`, packed as it is or in a `Resource` that names it.
 * @returns a sentence where that is not so, in Envoy's words
 */
export function openResources(
  kind: ResourceKind,
  resources: readonly Any[],
  version: string,
): readonly OpenedResource[] | string {
  const opened: OpenedResource[] = [];
  for (const resource of resources) {
    const wrapper = anyIs(resource, ResourceSchema) ? anyUnpack(resource, ResourceSchema) : undefined;
    const inner = wrapper === undefined ? resource : wrapper.resource;
    if (inner === undefined || inner.typeUrl !== kind.typeUrl) {
      const found = inner?.typeUrl ?? '';
      return `type URL ${found} embedded in an individual Any does not match the message-wide type URL ${kind.typeUrl} in DiscoveryResponse`;
    }
    try {
      const name = wrapper?.name || kind.nameOf(inner.value);
      const aliases = wrapper?.aliases ?? [];
      opened.push({ name, packed: inner.value, version: wrapper?.version || version, aliases });
    } catch (error) {
      return `a resource of type ${kind.typeUrl} cannot be read: ${(error as Error).message}`;
    }
  }
  return opened;
}

/** As `openResources`, of an incremental response, where every resource says its name. */
export function openDeltaResources(
  kind: ResourceKind,
  resources: readonly Resource[],
): readonly OpenedResource[] | string {
  const opened: OpenedResource[] = [];
  for (const { name, resource, version, aliases } of resources) {
    if (resource?.typeUrl !== kind.typeUrl) {
      const found = resource?.typeUrl ?? '';
      return `type URL ${found} embedded in an individual Any does not match the message-wide type URL ${kind.typeUrl} in DeltaDiscoveryResponse`;
    }
    opened.push({ name, packed: resource.value, version, aliases });
  }
  return opened;
}
