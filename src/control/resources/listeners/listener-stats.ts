import type { ListenerData } from '../../../listener/listener-data.ts';
import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';

/** `listener_manager.*`. */
export class ListenerStats {
  readonly added: Counter;
  readonly modified: Counter;
  readonly removed: Counter;
  readonly stopped: Counter;
  readonly created: Counter;
  readonly notCreated: Counter;
  readonly updatedInPlace: Counter;
  readonly draining: Gauge;
  readonly chainsDraining: Gauge;
  readonly workersStarted: Gauge;
  private readonly active: Gauge;
  private readonly warming: Gauge;
  private statics: number;
  private dynamics: number;
  /** Of a newer configuration, and of LDS. */
  private staticsWarming: number;
  private dynamicsWarming: number;

  constructor(root: StatsScope) {
    const scope = root.scope('listener_manager');
    this.active = scope.gauge('total_listeners_active');
    this.added = scope.counter('listener_added');
    this.modified = scope.counter('listener_modified');
    this.removed = scope.counter('listener_removed');
    this.created = scope.counter('listener_create_success');
    this.notCreated = scope.counter('listener_create_failure');
    this.stopped = scope.counter('listener_stopped');
    this.updatedInPlace = scope.counter('listener_in_place_updated');
    this.warming = scope.gauge('total_listeners_warming');
    this.draining = scope.gauge('total_listeners_draining');
    this.chainsDraining = scope.gauge('total_filter_chains_draining');
    this.workersStarted = scope.gauge('workers_started');
    this.statics = 0;
    this.dynamics = 0;
    this.staticsWarming = 0;
    this.dynamicsWarming = 0;
    this.warming.set(0);
  }

  /** The workers have taken these of the configuration itself; `failures` of them could not be. */
  static(list: readonly ListenerData[], set: readonly string[], known: ReadonlySet<string>, failures: number): void {
    for (const name of set) (known.has(name) ? this.modified : this.added).inc();
    const names = new Set(list.map(({ name }) => name));
    for (const name of known) if (!names.has(name)) this.removed.inc();
    this.created.add(Math.max(0, set.length - failures));
    if (failures > 0) this.notCreated.add(failures);
    this.statics = names.size;
    this.show();
  }

  staticWarming(count: number): void {
    this.staticsWarming = count;
    this.show();
  }

  dynamic(active: number, warming: number): void {
    this.dynamics = active;
    this.dynamicsWarming = warming;
    this.show();
  }

  private show(): void {
    this.active.set(this.statics + this.dynamics);
    this.warming.set(this.staticsWarming + this.dynamicsWarming);
  }
}
