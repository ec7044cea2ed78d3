import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { Network, DialOptions } from '../../net/network.ts';
import type { H2ServerOptions } from '../../codec/h2/options.ts';
import { HbonePool } from '../../tunnel/hbone/pool.ts';
import { hboneServerOptions } from '../../tunnel/hbone/options.ts';
import type { CertificateSource } from '../certificates/certificate-source.ts';
import { IdentityTls, type TlsThread } from '../certificates/identity-tls.ts';
import { Destinations } from '../choice/destination.ts';
import type { Mesh, WorkloadInfo } from '../state/mesh.ts';
import { identityOf, type Workload } from '../state/workload.ts';
import type { AddressSource, LookupOutcome } from './address-source.ts';
import type { Reporter } from './connection-facts.ts';
import { ConnectionQuota, type ConnectionCount } from './connection-quota.ts';
import type { Exclusions } from './exclusions.ts';
import { bufferLimit, ownPorts, userTimeout, workloadWaitMs, type ProxySettings } from './settings.ts';

/** What all proxies of a thread have around them. */
export interface ProxyThread extends TlsThread {
  readonly mesh: Mesh;
  readonly settings: ProxySettings;
  readonly certificates: CertificateSource;
  /** Who is asked for what the mesh does not know; null: it knows all. */
  readonly addresses: AddressSource | null;
  readonly reporter: Reporter;
  /** Of the node. */
  readonly connections: ConnectionCount;
  readonly exclusions: Exclusions;
}

/** Waits for its workload to be known. */
class WorkloadWait implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly tell: (workload: Workload | null) => void;
  private readonly pod: Pod;

  constructor(pod: Pod, tell: (workload: Workload | null) => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.pod = pod;
    this.tell = tell;
  }

  tick(): void {
    this.pod.gaveUp(this);
  }
}

/** One workload whose connections are ours: who it is, and what its connections are made with. */
export class Pod {
  readonly info: WorkloadInfo;
  readonly thread: ProxyThread;
  readonly network: Network;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly pool: HbonePool;
  readonly destinations: Destinations;
  readonly serverOptions: H2ServerOptions;
  readonly ownPorts: ReadonlySet<number>;
  readonly quota: ConnectionQuota;
  private readonly socketOptions: Pick<DialOptions, 'socketOptions'>;
  private readonly waiting: Set<WorkloadWait>;
  private readonly unwatch: () => void;
  private tls: { readonly identity: string; readonly made: IdentityTls } | null;
  private isClosed: boolean;

  /** `network`: in which its sockets are made. `connections`: its own, in all threads. */
  constructor(info: WorkloadInfo, thread: ProxyThread, network: Network, connections: ConnectionCount) {
    const { settings, mesh } = thread;
    this.info = info;
    this.thread = thread;
    this.network = network;
    this.clock = network.clock;
    this.timers = network.timers;
    this.pool = new HbonePool(network, settings.hbone);
    this.destinations = new Destinations(mesh, settings.network);
    this.serverOptions = hboneServerOptions(settings.hbone, settings.drainMs);
    this.ownPorts = ownPorts(settings);
    const { nodeConnectionsMax, workloadConnectionsMax } = settings;
    this.quota = new ConnectionQuota(thread.connections, connections, nodeConnectionsMax, workloadConnectionsMax);
    this.socketOptions = userTimeout(settings);
    this.waiting = new Set();
    this.unwatch = mesh.watch(() => this.lookAgain());
    this.tls = null;
    this.isClosed = false;
  }

  /** As the control plane knows it; null: it does not. */
  get workload(): Workload | null {
    const { mesh, settings } = this.thread;
    return mesh.workloadOf(this.info, settings.node);
  }

  /** As istiod names pods. */
  private get uid(): string {
    return `${this.thread.settings.clusterId}//Pod/${this.info.namespace}/${this.info.name}`;
  }

  /** Waits a while for the control plane to know it; null: it does not. Called at once where it does. */
  whenKnown(tell: (workload: Workload | null) => void): void {
    const known = this.workload;
    if (known !== null) {
      tell(known);
      return;
    }
    this.askFor(this.uid, () => {});
    const wait = new WorkloadWait(this, tell);
    this.waiting.add(wait);
    this.timers.schedule(wait, this.clock.now + workloadWaitMs);
  }

  /** `tell`: when what istiod says of it is in the mesh; at once where nobody is to be asked. */
  askFor(key: string, tell: (outcome: LookupOutcome) => void): void {
    const { addresses } = this.thread;
    if (addresses === null) tell('unknown');
    else addresses.request(key, (outcome) => tell(this.isClosed ? 'late' : outcome));
  }

  gaveUp(wait: WorkloadWait): void {
    this.waiting.delete(wait);
    wait.tell(null);
  }

  /**
   * TLS as the workload, with its certificate there. `problem`: why there is none; empty: `tls` is. Called at once where it
   * was there.
   */
  whenSecured(workload: Workload, tell: (tls: IdentityTls | null, problem: string) => void): void {
    const identity = identityOf(workload);
    const { certificates } = this.thread;
    if (certificates.has(identity)) {
      tell(this.tlsOf(identity), '');
      return;
    }
    certificates.request(identity, (problem) => {
      if (this.isClosed) tell(null, 'the workload is gone');
      else tell(problem === '' ? this.tlsOf(identity) : null, problem);
    });
  }

  /** For connections that leave from here. `source`: the address that they seem to leave from; empty: ours. */
  dialOptions(source: string, limit: number = bufferLimit): DialOptions {
    const { keepAlive, mark, hbone } = this.thread.settings;
    return {
      connectTimeoutMs: hbone.connectTimeoutMs,
      bufferLimit: limit,
      bindAddress: null,
      keepAliveSeconds: keepAlive?.seconds ?? null,
      keepAliveIntervalSeconds: keepAlive?.intervalSeconds ?? 0,
      keepAliveProbes: keepAlive?.probes ?? 0,
      ...this.socketOptions,
      ...(source === '' ? {} : { source: { host: source, mark } }),
    };
  }

  /** Who waits for the workload or its certificate is told that there is none. */
  close(): void {
    this.isClosed = true;
    this.unwatch();
    this.tellWaiting(null);
    this.pool.close();
    this.quota.close();
    this.tls?.made.release();
  }

  private tlsOf(identity: string): IdentityTls {
    if (this.tls?.identity === identity) return this.tls.made;
    this.tls?.made.release();
    const made = new IdentityTls(identity, this.network, this.thread, this.thread.settings);
    this.tls = { identity, made };
    return made;
  }

  private lookAgain(): void {
    if (this.waiting.size === 0) return;
    const { workload } = this;
    if (workload !== null) this.tellWaiting(workload);
  }

  private tellWaiting(workload: Workload | null): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const wait of waiting) {
      this.timers.cancel(wait);
      wait.tell(workload);
    }
  }
}
