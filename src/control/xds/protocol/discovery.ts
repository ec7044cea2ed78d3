import type { Any } from '@bufbuild/protobuf/wkt';
import { durationMs } from '../../../core/duration.ts';
import { ResourceSchema, type Resource } from '../../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyIs, anyUnpack } from '../../../proto/protobuf.js';
import type { OpenedResource } from '../resource-kind.ts';
import { packedName } from './packed-name.ts';

/** What a response has, opened. */
export interface Opened {
  readonly resources: OpenedResource[];
  /** Of each that came, heartbeats too, how long it lives in milliseconds; 0: for ever. */
  readonly timesToLive: [name: string, ms: number][];
  /** One without a resource came: what it names goes on to live. */
  hasHeartbeats: boolean;
}

/**
 * Opens a response: each resource is of the type that the response tells, packed as it is or in a `Resource` that names
 * it.
 * @param taken version that was taken before: what comes without its resource in a response of this version is a heartbeat
 * @returns a sentence where that is not so, in Envoy's words
 */
export function openResources(
  typeUrl: string,
  resources: readonly Any[],
  version: string,
  taken: string,
): Opened | string {
  const opened: Opened = { resources: [], timesToLive: [], hasHeartbeats: false };
  for (const resource of resources) {
    try {
      const wrapper = anyIs(resource, ResourceSchema) ? anyUnpack(resource, ResourceSchema) : undefined;
      const inner = wrapper === undefined ? resource : wrapper.resource;
      if (wrapper !== undefined && inner === undefined && version === taken) {
        opened.hasHeartbeats = true;
        opened.timesToLive.push([wrapper.name, durationMs(wrapper.ttl, 0)]);
        continue;
      }
      if (inner?.typeUrl !== typeUrl) return `${inner?.typeUrl ?? ''} ${mismatch} ${typeUrl} in DiscoveryResponse`;
      const name = wrapper?.name || packedName(inner.value);
      const aliases = wrapper?.aliases ?? [];
      opened.resources.push({ name, packed: inner.value, version, aliases });
      opened.timesToLive.push([name, durationMs(wrapper?.ttl, 0)]);
    } catch (error) {
      return `a resource of type ${typeUrl} cannot be read: ${(error as Error).message}`;
    }
  }
  return opened;
}

/** As `openResources`, of an incremental response, where every resource says its name. */
export function openDeltaResources(
  typeUrl: string,
  resources: readonly Resource[],
  removed: readonly string[],
  versionOf: (name: string) => string,
): Opened | string {
  const opened: Opened = { resources: [], timesToLive: [], hasHeartbeats: false };
  const names = new Set<string>();
  for (const { name, resource, version, aliases, ttl } of resources) {
    if (names.has(name)) return `duplicate name ${name} found among added/updated resources`;
    names.add(name);
    opened.timesToLive.push([name, durationMs(ttl, 0)]);
    if (resource === undefined && version !== '' && versionOf(name) === version) opened.hasHeartbeats = true;
    // What is asked for by an alias that leads nowhere comes without a resource.
    else if (resource === undefined && aliases.length > 0)
      opened.resources.push({ name, packed: nothing, version, aliases });
    else if (resource?.typeUrl !== typeUrl)
      return `type URL ${resource?.typeUrl ?? ''} embedded in an individual Any ${mismatch} ${typeUrl} in DeltaDiscoveryResponse`;
    else opened.resources.push({ name, packed: resource.value, version, aliases });
  }
  for (const name of removed) {
    if (names.has(name)) return `duplicate name ${name} found in the union of added+removed resources`;
    names.add(name);
  }
  return opened;
}

const nothing = new Uint8Array();

/** Envoy repeats the whole response behind it, keys and all. */
const mismatch = 'does not match the message-wide type URL';
