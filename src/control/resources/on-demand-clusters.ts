import type { OpenedResource, Subscription, SubscriptionUser } from '../xds/resource-kind.ts';

/** Names that there is no cluster of, asked for and remembered: who asks for more makes the oldest be forgotten. */
export const absentMax = 4096;

export interface OnDemandClustersEnvironment {
  /** Takes them, and nothing else. */
  readonly clusters: Required<Pick<SubscriptionUser, 'onDelta'>>;
  /** There is such a cluster, or one is to come into force. */
  has(name: string): boolean;
  /** Begins to ask for these. */
  open(names: readonly string[], user: SubscriptionUser): Subscription;
  /** There is none, or none that could be asked for; `worker` has wanted it. */
  missing(name: string, worker: number): void;
}

/** The clusters of one source that are asked for by name, when a worker wants them. Source: Envoy `OdCdsApiImpl`. */
export class OnDemandClusters implements SubscriptionUser {
  private readonly environment: OnDemandClustersEnvironment;
  /** Null: nothing was asked for yet. */
  private subscription: Subscription | null;
  private readonly present: Set<string>;
  /** Asked for and not there, the oldest first → workers that wait; none: they have been told. */
  private readonly absent: Map<string, Set<number>>;

  constructor(environment: OnDemandClustersEnvironment) {
    this.environment = environment;
    this.subscription = null;
    this.present = new Set();
    this.absent = new Map();
  }

  /** Of one that is there, or is coming into force, every worker hears by and by. */
  want(name: string, worker: number): void {
    if (this.environment.has(name)) return;
    const known = this.absent.get(name);
    if (known !== undefined && known.size > 0) {
      known.add(worker);
      return;
    }
    // One that was said to be missing is asked for anew.
    if (this.present.delete(name) || this.absent.delete(name)) this.ask();
    if (this.absent.size >= absentMax) this.forgetOldest();
    this.absent.set(name, new Set([worker]));
    this.ask();
  }

  stop(): void {
    this.subscription?.stop();
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    return this.onDelta(resources, [], version);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string {
    const { environment } = this;
    const refusal = environment.clusters.onDelta(set, removed, version);
    // One that is refused is waited for: the control plane may think again.
    for (const { name } of set) if (environment.has(name) && this.absent.delete(name)) this.present.add(name);
    for (const name of removed) this.gone(name);
    return refusal;
  }

  /** Who waits has a clock of its own. */
  onGivenUp(): void {}

  // ---- inside

  private gone(name: string): void {
    const waiting = this.absent.get(name);
    if (waiting === undefined) return;
    this.absent.set(name, new Set());
    this.tell(name, waiting);
  }

  private ask(): void {
    const names = [...this.present, ...this.absent.keys()];
    if (this.subscription === null) this.subscription = this.environment.open(names, this);
    else this.subscription.setNames(names);
  }

  private forgetOldest(): void {
    const [[oldest, waiting]] = this.absent;
    this.absent.delete(oldest);
    this.tell(oldest, waiting);
  }

  private tell(name: string, workers: Iterable<number>): void {
    for (const worker of workers) this.environment.missing(name, worker);
  }
}
