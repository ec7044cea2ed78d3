import type { ClusterChanges } from '../cluster/cluster-changes.ts';
import type { LookupEnd } from '../cluster/dynamic/dns-cache.ts';
import type { LookupQuestion } from '../cluster/dynamic/dns-lookups.ts';
import type { HostBlockMessage } from '../cluster/host/host-counters.ts';
import type { ClusterQuestion } from '../cluster/on-demand/cluster-lookups.ts';
import type { HostSighting } from '../cluster/original-dst/host-sighting.ts';
import type { HostFinding } from '../cluster/outlier/outlier-data.ts';
import type { Address } from '../core/peer.ts';
import type { WorkloadChanges } from '../filter/istio/workload/workload-directory.ts';
import type { IoBackend } from '../net/open-network.ts';
import type { StatsBatch } from '../observe/stats/stats-slab.ts';
import type { SharedNumbersData } from '../observe/limit/shared-limit.ts';
import type { RouteQuestion } from '../proxy/http/on-demand/route-question.ts';
import type { NodeData } from './bootstrap-data.ts';
import type { OverloadInit } from './overload/overload-memory.ts';
import type { RuntimeEntries } from './runtime-data.ts';
import type { SecretChanges } from './sds/secret-changes.ts';
import type { SnapshotData } from './snapshot-data.ts';
import type { WorkerLogMessage } from './worker-logs.ts';

/** What a worker is made of, before it has anything to serve. */
export interface WorkerInit {
  /** `worker_0` … */
  readonly name: string;
  readonly shared: SharedNumbersData;
  /** `HealthMemory.shared`. */
  readonly healthMemory: SharedArrayBuffer;
  /** `LogLevels.shared`. */
  readonly logLevels: SharedArrayBuffer;
  readonly node: NodeData;
  /** `BootstrapData.localCluster`. */
  readonly localCluster: string;
  readonly runtime: RuntimeEntries;
  /** `BootstrapData.statsEvictionMs`. */
  readonly statsEvictionMs: number | undefined;
  /** Null: none is configured. */
  readonly overload: OverloadInit | null;
  readonly ioBackend: IoBackend;
  /** Where it writes down its descriptors: `closeLeftOpen` reads it if the thread dies. */
  readonly descriptors: SharedArrayBuffer;
  readonly fileFlushIntervalMs: number;
  /** Longest time that a listener that was replaced or removed keeps its connections. */
  readonly drainTimeMs: number;
  readonly drainStrategy: 'gradual' | 'immediate';
  /** What session tickets are made with where no keys are configured: `TicketKeys`. A ticket of one worker holds at all. */
  readonly ticketKeys: readonly Uint8Array[];
}

/** Which listeners are meant. */
export type ListenerScope = 'none' | 'inbound' | 'all';

/** Main thread → worker. */
export type ToWorker =
  /** What a configuration that is being read will need loaded. Comes before `init`, too. */
  | { readonly kind: 'extensions'; readonly names: readonly string[] }
  /** The first of all others, once. */
  | { readonly kind: 'init'; readonly data: WorkerInit }
  | { readonly kind: 'snapshot'; readonly snapshot: SnapshotData }
  /** Discovery knows other hosts than before. */
  | { readonly kind: 'clusters'; readonly changes: ClusterChanges }
  /** Hosts of a cluster have been found to be other than before: look at the shared memory. */
  | { readonly kind: 'health'; readonly cluster: string }
  /** Answer to `name-wanted`, behind the hosts that come of it. */
  | {
      readonly kind: 'name-found';
      readonly question: LookupQuestion;
      readonly end: LookupEnd;
      readonly details: string;
    }
  /** Answer to `cluster-wanted`: there is none. One that there is comes as every other does. */
  | { readonly kind: 'cluster-missing'; readonly name: string }
  /** Answer to `route-wanted`, behind the routes that come of it. */
  | { readonly kind: 'route-found'; readonly question: RouteQuestion; readonly isThere: boolean }
  /** Secrets that have come or are others now; before the first snapshot, all that there are. */
  | { readonly kind: 'secrets'; readonly changes: SecretChanges }
  /** Who is at which address; for a fresh worker, all that there are. */
  | { readonly kind: 'workloads'; readonly changes: WorkloadChanges }
  | { readonly kind: 'runtime'; readonly entries: RuntimeEntries }
  /** What is under way is to be dealt with otherwise than before: look at the shared memory. */
  | { readonly kind: 'overload' }
  /** `shrink_heap` */
  | { readonly kind: 'shrink-heap' }
  /** Stop accepting and let the open connections finish; answered by `drained`. */
  | { readonly kind: 'drain' }
  /** Admin's /drain_listeners: stop accepting; `graceful`: go on, while responses close their connections. */
  | { readonly kind: 'drain-listeners'; readonly scope: ListenerScope; readonly graceful: boolean }
  | { readonly kind: 'health-failed'; readonly failed: boolean }
  | { readonly kind: 'reopen-logs' }
  /** Write out what is buffered and end; answered by the thread's exit. */
  | { readonly kind: 'stop' };

/** Why a listener is not as it was to be: what was there before it goes on. */
export interface ListenerFailure {
  readonly listener: string;
  readonly message: string;
}

export interface BoundListener {
  readonly name: string;
  readonly addresses: readonly Address[];
}

/** Worker → main thread. */
export type FromWorker =
  /** Answer to `init`. */
  | { readonly kind: 'io'; readonly backend: 'io_uring' | 'node'; readonly reason: string }
  /** Answer to `snapshot`: what is bound, or why the old configuration went on serving. */
  | {
      readonly kind: 'applied';
      readonly version: number;
      readonly bound: readonly BoundListener[];
      readonly failures: readonly ListenerFailure[];
    }
  | { readonly kind: 'stats'; readonly batch: StatsBatch }
  | { readonly kind: 'log'; readonly message: WorkerLogMessage }
  | { readonly kind: 'host-counters'; readonly message: HostBlockMessage }
  /** What results have shown of a host. */
  | { readonly kind: 'host-found'; readonly finding: HostFinding }
  /** A name of a DNS cache, which this worker does not know. */
  | { readonly kind: 'name-wanted'; readonly question: LookupQuestion }
  /** A cluster that this worker does not know, and that is to be asked for. */
  | { readonly kind: 'cluster-wanted'; readonly question: ClusterQuestion }
  /** A request of this worker has no route for want of this. */
  | { readonly kind: 'route-wanted'; readonly question: RouteQuestion }
  /** This worker uses an address that its cluster has not told it. */
  | { readonly kind: 'host-sighted'; readonly sighting: HostSighting }
  | { readonly kind: 'drained' };
