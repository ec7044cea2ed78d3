/** What istiod answers to a client that asks for addresses one by one: its rules, over a mesh of the tests. */
import { parseIp } from '../../../../src/core/ip-address.ts';
import { DeltaDiscoveryResponseSchema } from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { AddressSchema, TunnelProtocol } from '../../../../src/proto/istio/workload_pb.js';
import { create, toBinary } from '../../../../src/proto/protobuf.js';
import type { Request } from './discover.ts';

export const addressType = 'type.googleapis.com/istio.workload.Address';

export interface PlacedWorkload {
  readonly name: string;
  readonly ip: string;
  readonly protocol?: TunnelProtocol;
}

export const uidOf = (name: string): string => `Kubernetes//Pod/n/${name}`;

export class OnDemandAnswers {
  readonly workloads: PlacedWorkload[];
  /** Of the stream: istiod is silent about a name that it has, and wants none in an answer to a response. */
  private subscribed: Set<string>;
  private nonces: number;

  constructor(workloads: readonly PlacedWorkload[]) {
    this.workloads = [...workloads];
    this.subscribed = new Set();
    this.nonces = 0;
  }

  /** @throws Error: a request that istiod does not take */
  answer({ typeUrl, nonce, subscribed, unsubscribed, versions }: Request): Uint8Array | null {
    if (typeUrl !== addressType) return nonce === '' ? this.response(typeUrl, [], []) : null;
    if (nonce !== '') {
      if (subscribed.length > 0 || unsubscribed.length > 0) throw new Error('names in an answer');
      return null;
    }
    if (subscribed.includes('*')) this.subscribed = new Set();
    const added = [...subscribed, ...versions].filter((name) => !this.subscribed.has(name));
    for (const name of added) this.subscribed.add(name);
    for (const name of unsubscribed) this.subscribed.delete(name);
    if (this.subscribed.has('*')) throw new Error('all are wanted');
    const keys = added.filter((name) => name !== '*');
    const known = this.workloads.filter(({ name, ip }) => keys.includes(uidOf(name)) || keys.includes(`/${ip}`));
    const removed = keys.filter((key) => !known.some(({ name, ip }) => key === uidOf(name) || key === `/${ip}`));
    for (const { name } of known) this.subscribed.add(uidOf(name));
    return keys.length === 0 ? null : this.response(typeUrl, known, removed);
  }

  /** A push: what has come or changed, and what is gone. */
  response(typeUrl: string, known: readonly PlacedWorkload[], removed: readonly string[]): Uint8Array {
    const resources = known.map((workload) => ({
      name: uidOf(workload.name),
      version: '1',
      aliases: [`/${workload.ip}`],
      resource: { typeUrl: addressType, value: packed(workload) },
    }));
    return toBinary(
      DeltaDiscoveryResponseSchema,
      create(DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce: `n${++this.nonces}`,
        resources,
        removedResources: [...removed],
      }),
    );
  }
}

function packed({ name, ip, protocol = TunnelProtocol.NONE }: PlacedWorkload): Uint8Array {
  const value = {
    uid: uidOf(name),
    name,
    namespace: 'n',
    serviceAccount: name,
    addresses: [parseIp(ip)!],
    tunnelProtocol: protocol,
  };
  return toBinary(AddressSchema, create(AddressSchema, { type: { case: 'workload', value } }));
}
