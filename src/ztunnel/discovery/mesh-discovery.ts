import { ControlPlaneStats } from '../../control/xds/stream/control-plane-stats.ts';
import type { ConversationOptions } from '../../control/xds/protocol/conversation.ts';
import { Delta } from '../../control/xds/protocol/delta.ts';
import { Watch, type WatchUser } from '../../control/xds/protocol/watch.ts';
import type { OpenedResource, ResourceKind } from '../../control/xds/resource-kind.ts';
import type { Loop } from '../../net/loop.ts';
import type { Log } from '../../observe/log/log.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import { decodeAddress } from '../state/address-decode.ts';
import { decodeAuthorization } from '../state/authorization-decode.ts';
import { noChange, type MeshChange } from '../state/mesh.ts';
import type { Policy } from '../state/policy.ts';
import type { Service } from '../state/service.ts';
import type { Workload } from '../state/workload.ts';
import { AddressLookups } from './address-lookups.ts';
import type { IstiodStream } from './istiod-stream.ts';

const addressKind: ResourceKind = {
  typeUrl: 'type.googleapis.com/istio.workload.Address',
  streamMethod: '',
  deltaMethod: '',
};
const authorizationKind: ResourceKind = {
  typeUrl: 'type.googleapis.com/istio.security.Authorization',
  streamMethod: '',
  deltaMethod: '',
};

/** Whom changes are told to, and the first answers of each kind. */
export interface DiscoveryUser {
  /** Addresses are asked for one by one, and what is known is not; null: all of them are wanted. */
  readonly knows: ((key: string) => boolean) | null;
  apply(change: MeshChange): void;
  /** Not of addresses that are asked for one by one. */
  onFirst(typeUrl: string): void;
}

const nothing = { inc() {}, dec() {}, add() {}, set() {}, record() {} };
const noStats: StatsScope = {
  counter: () => nothing,
  gauge: () => nothing,
  histogram: () => nothing,
  scope: () => noStats,
};

/** What istiod says of the mesh, over a stream. What of a response is good counts; what is not is named in the refusal. */
export class MeshDiscovery {
  /** Null: all addresses are wanted. */
  readonly addresses: AddressLookups | null;
  private readonly stream: IstiodStream;

  constructor(stream: IstiodStream, node: ConversationOptions['node'], loop: Loop, log: Log, user: DiscoveryUser) {
    this.stream = stream;
    const { clock, timers } = loop;
    const delta = new Delta(
      {
        node,
        nodeOnFirstMessageOnly: false,
        stats: new ControlPlaneStats(noStats, '', () => {}),
        log,
        clock,
        timers,
        held: new Map(),
        onDemand: new Set(user.knows === null ? [] : [addressKind.typeUrl]),
        defer: (act) => queueMicrotask(act),
      },
      stream,
    );
    stream.attach(delta);
    if (user.knows === null) {
      this.addresses = null;
      delta.watch(new Watch(addressKind, [], new Taker(addressKind.typeUrl, changeOfAddresses, user)));
    } else {
      this.addresses = new AddressLookups(delta, addressKind, loop, user.knows);
      delta.watch(new Watch(addressKind, [], new LookedUpTaker(this.addresses, user)));
    }
    delta.watch(new Watch(authorizationKind, [], new Taker(authorizationKind.typeUrl, changeOfPolicies, user)));
  }

  start(): void {
    this.stream.start();
  }

  stop(): void {
    this.stream.stop();
  }
}

type ToChange = (
  set: readonly OpenedResource[],
  removed: readonly string[],
) => { readonly change: MeshChange; readonly refusals: readonly string[] };

class Taker implements WatchUser {
  private readonly typeUrl: string;
  private readonly toChange: ToChange;
  private readonly user: DiscoveryUser;

  constructor(typeUrl: string, toChange: ToChange, user: DiscoveryUser) {
    this.typeUrl = typeUrl;
    this.toChange = toChange;
    this.user = user;
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    const { change, refusals } = this.toChange(set, removed);
    this.user.apply(change);
    this.user.onFirst(this.typeUrl);
    return refusals.join('; ');
  }

  onResources(resources: readonly OpenedResource[]): string {
    return this.onDelta(resources, []);
  }

  onRefused(): void {}

  onStreamFailed(): void {}
}

/** Of addresses that were asked for, and of those that istiod tells without being asked: the node's. */
class LookedUpTaker implements WatchUser {
  private readonly lookups: AddressLookups;
  private readonly user: DiscoveryUser;

  constructor(lookups: AddressLookups, user: DiscoveryUser) {
    this.lookups = lookups;
    this.user = user;
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    // Names that nobody has are no news to the threads.
    const gone = removed.filter((name) => this.user.knows!(name));
    const { change, refusals } = changeOfAddresses(set, gone);
    if (set.length > 0 || gone.length > 0) this.user.apply(change);
    this.lookups.taken(set, removed);
    return refusals.join('; ');
  }

  onResources(resources: readonly OpenedResource[]): string {
    return this.onDelta(resources, []);
  }

  onRefused(): void {}

  onStreamFailed(): void {}
}

const changeOfAddresses: ToChange = (set, removedAddresses) => {
  const workloads: Workload[] = [];
  const services: Service[] = [];
  const refusals = each(set, (packed) => {
    const decoded = decodeAddress(packed);
    if (decoded.kind === 'workload') workloads.push(decoded.workload);
    else services.push(decoded.service);
  });
  return { change: { ...noChange, workloads, services, removedAddresses }, refusals };
};

const changeOfPolicies: ToChange = (set, removedPolicies) => {
  const policies: Policy[] = [];
  const refusals = each(set, (packed) => policies.push(decodeAuthorization(packed)));
  return { change: { ...noChange, policies, removedPolicies }, refusals };
};

/** @returns `name: reason` of each that is refused */
function each(set: readonly OpenedResource[], decode: (packed: Uint8Array) => void): string[] {
  const refusals: string[] = [];
  for (const { name, packed } of set) {
    try {
      decode(packed);
    } catch (error) {
      refusals.push(`${name}: ${(error as Error).message}`);
    }
  }
  return refusals;
}
