import type { Timed } from '../../core/clock.ts';
import { formatAddress, type Address } from '../../core/peer.ts';
import type { HostData } from '../cluster-data.ts';
import type { Discovery, DiscoveryListener } from '../discovery/discovery.ts';
import type { DiscoveryEnvironment } from '../discovery/dns-target.ts';
import type { HostUse } from '../host/host-report.ts';
import { originalHost } from './original-balancer.ts';

/** Hosts that are added one after the other are told together, this often at most. */
const tellMs = 20;

interface Known {
  readonly host: HostData;
  /** Of what all workers have ever begun there. */
  begun: number;
  isFresh: boolean;
}

/** The hosts of an ORIGINAL_DST cluster on the main thread: workers find them, and those that nobody uses go. */
export class OriginalHosts implements Discovery, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly cluster: string;
  private readonly cleanupMs: number;
  private readonly environment: DiscoveryEnvironment;
  /** What workers have done with the cluster's hosts, by key. */
  private readonly uses: () => ReadonlyMap<string, HostUse>;
  private readonly listener: DiscoveryListener;
  private readonly known: Map<string, Known>;
  private readonly telling: Telling;

  constructor(
    cluster: string,
    cleanupMs: number,
    environment: DiscoveryEnvironment,
    uses: () => ReadonlyMap<string, HostUse>,
    listener: DiscoveryListener,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.cluster = cluster;
    this.cleanupMs = cleanupMs;
    this.environment = environment;
    this.uses = uses;
    this.listener = listener;
    this.known = new Map();
    this.telling = new Telling(environment, () => this.tell());
  }

  start(): void {
    this.listener.onWarm();
    this.waitForCleanup();
  }

  stop(): void {
    this.environment.timers.cancel(this);
    this.telling.stop();
  }

  /** A worker uses it already. */
  add(address: Address): void {
    const key = formatAddress(address);
    if (this.known.has(key)) return;
    this.known.set(key, { host: originalHost(this.cluster, address), begun: 0, isFresh: true });
    this.telling.soon();
  }

  /** The cleanup interval is over. */
  tick(): void {
    const uses = this.uses();
    const count = this.known.size;
    for (const [key, known] of this.known) {
      const use = uses.get(key);
      const begun = use?.begun ?? 0;
      const isUsed = known.isFresh || begun !== known.begun || (use?.open ?? 0) > 0;
      known.begun = begun;
      known.isFresh = false;
      if (!isUsed) this.known.delete(key);
    }
    if (this.known.size < count) this.tell();
    this.waitForCleanup();
  }

  private tell(): void {
    this.listener.onHosts(Array.from(this.known.values(), ({ host }) => host));
  }

  private waitForCleanup(): void {
    const { timers, clock } = this.environment;
    timers.schedule(this, clock.now + this.cleanupMs);
  }
}

/** Puts together what is told in one go. */
class Telling implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly environment: DiscoveryEnvironment;
  private readonly tell: () => void;
  private lastMs: number;

  constructor(environment: DiscoveryEnvironment, tell: () => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.environment = environment;
    this.tell = tell;
    this.lastMs = -Infinity;
  }

  soon(): void {
    if (this.heapIndex >= 0) return;
    const { timers, clock } = this.environment;
    timers.schedule(this, Math.max(clock.now, this.lastMs + tellMs));
  }

  stop(): void {
    this.environment.timers.cancel(this);
  }

  tick(now: number): void {
    this.lastMs = now;
    this.tell();
  }
}
