import type { LoadShedPointName, OverloadAction } from '../../core/overload-view.ts';
import type { Log } from '../../observe/log/log.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../../observe/stats/stats.ts';
import type { ResourceMonitor } from './monitor/monitor.ts';
import { connectionsResource, type MonitorData, type OverloadData } from './overload-data.ts';
import { OverloadMemory } from './overload-memory.ts';
import { Triggers } from './trigger.ts';

/** What the overload manager has around it. */
export interface OverloadSurroundings {
  /** The root scope. */
  readonly stats: StatsScope;
  readonly log: Log;
  readonly monitorOf: (data: MonitorData) => ResourceMonitor;
  /** Connections that count towards `global_downstream_max_connections`. */
  readonly connections: () => number;
  /** What workers have to be told, since it concerns what is under way: timeouts, and who waits to be accepted. */
  readonly onTimers: () => void;
  readonly shrinkHeap: () => void;
}

/** What workers act on at once, and not only with the next connection or request. */
const urgent: ReadonlySet<string> = new Set<OverloadAction>(['reduce_timeouts', 'stop_accepting_connections']);

/** The overload manager on the main thread: asks the resources, and writes down what is to be done. */
export class Overload {
  readonly memory: OverloadMemory;
  readonly data: OverloadData;
  private readonly resources: readonly Resource[];
  /** Null: it is not monitored. */
  private readonly connections: Resource | null;
  private readonly targets: readonly Target[];
  private readonly shrinks: Target | null;
  private readonly surroundings: OverloadSurroundings;
  private readonly delays: Histogram;
  private readonly shrinkCount: Counter | null;
  private timers: NodeJS.Timeout[];
  private refreshedAt: number;

  /** @throws Error where this machine does not have a resource that is to be monitored */
  constructor(data: OverloadData, surroundings: OverloadSurroundings) {
    const { stats, monitorOf } = surroundings;
    const scope = stats.scope('overload');
    this.memory = new OverloadMemory();
    this.data = data;
    this.surroundings = surroundings;
    this.resources = data.monitors.map((monitor) => new Resource(monitor.name, monitorOf(monitor), scope));
    this.connections =
      data.connectionsMax === 0 ? null : new Resource(connectionsResource, this.connectionsMonitor(), scope);
    const actions = data.actions.map(({ name, triggers }) => {
      const below = scope.scope(`envoy.overload_actions.${name}`);
      return new Target(name, new Triggers(triggers), below.gauge('active'), below.gauge('scale_percent'));
    });
    const points = data.shedPoints.map(({ name, triggers }) => {
      const below = scope.scope(`envoy.load_shed_points.${name}`);
      below.counter('shed_load_count');
      return new Target(name, new Triggers(triggers), null, below.gauge('scale_percent'));
    });
    this.targets = [...actions, ...points];
    this.shrinks = actions.find(({ name }) => name === 'shrink_heap') ?? null;
    this.shrinkCount = this.shrinks === null ? null : scope.counter('envoy.overload_actions.shrink_heap.shrink_count');
    this.delays = scope.histogram('refresh_interval_delay');
    this.timers = [];
    this.refreshedAt = 0;
  }

  /** As Envoy, which asks nothing where nothing but connections is monitored. Until `stop`. */
  start(now: number): void {
    this.refreshedAt = now;
    if (this.resources.length === 0) return;
    this.timers.push(setInterval(() => this.refresh(performance.now()), this.data.refreshMs).unref());
    if (this.shrinks !== null) this.timers.push(setInterval(() => this.shrinkIfAsked(), this.data.shrinkMs).unref());
  }

  stop(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
  }

  /** Asks every resource once. `now`: monotonic milliseconds. */
  refresh(now: number): void {
    let isUrgent = false;
    for (const resource of this.connections === null ? this.resources : [...this.resources, this.connections]) {
      const pressure = resource.ask(this.surroundings.log);
      if (pressure === null) continue;
      for (const target of this.targets) {
        const before = target.state;
        if (!target.update(resource.name, pressure)) continue;
        this.memory.set(target.name, target.state);
        if (before < 1 !== target.state < 1)
          this.surroundings.log.debug(`overload: ${target.name} is ${target.state < 1 ? 'no longer ' : ''}saturated`);
        isUrgent ||= urgent.has(target.name);
      }
    }
    this.delays.record(now - this.refreshedAt);
    this.refreshedAt = now;
    if (isUrgent) this.surroundings.onTimers();
  }

  shrinkIfAsked(): void {
    if (this.shrinks === null || this.shrinks.state < 1) return;
    this.shrinkCount!.inc();
    this.surroundings.shrinkHeap();
  }

  private connectionsMonitor(): ResourceMonitor {
    return { pressure: () => this.surroundings.connections() / this.data.connectionsMax };
  }
}

/** A monitored resource and what is counted of it. */
class Resource {
  readonly name: string;
  private readonly monitor: ResourceMonitor;
  private readonly pressureGauge: Gauge;
  private readonly failedUpdates: Counter;

  constructor(name: string, monitor: ResourceMonitor, scope: StatsScope) {
    const below = scope.scope(name);
    this.name = name;
    this.monitor = monitor;
    this.pressureGauge = below.gauge('pressure');
    this.failedUpdates = below.counter('failed_updates');
    // Asking is synchronous: none is ever under way when the next one is due.
    if (name !== connectionsResource) below.counter('skipped_updates');
  }

  /** Null: it cannot be told now, and what was known before holds on. */
  ask(log: Log): number | null {
    try {
      const pressure = this.monitor.pressure();
      this.pressureGauge.set(Math.floor(pressure * 100));
      return pressure;
    } catch (error) {
      log.info(`Failed to update resource ${this.name}: ${(error as Error).message}`);
      this.failedUpdates.inc();
      return null;
    }
  }
}

/** An action or a load shed point. */
class Target {
  readonly name: OverloadAction | LoadShedPointName;
  state: number;
  private readonly triggers: Triggers;
  private readonly active: Gauge | null;
  private readonly scalePercent: Gauge;

  constructor(name: OverloadAction | LoadShedPointName, triggers: Triggers, active: Gauge | null, scalePercent: Gauge) {
    this.name = name;
    this.triggers = triggers;
    this.active = active;
    this.scalePercent = scalePercent;
    this.state = 0;
    active?.set(0);
    scalePercent.set(0);
  }

  /** True: it has changed. */
  update(resource: string, pressure: number): boolean {
    this.triggers.update(resource, pressure);
    const { state } = this.triggers;
    if (state === this.state) return false;
    this.state = state;
    this.active?.set(state >= 1 ? 1 : 0);
    // Single precision, as Envoy: a half is not to show as 49.
    this.scalePercent.set(Math.floor(Math.fround(Math.fround(state) * 100)));
    return true;
  }
}
