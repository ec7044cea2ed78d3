import type { Clock, Timed, Timers } from '../../../core/clock.ts';
import { formatAddress } from '../../../core/peer.ts';
import type { ListenerData } from '../../../listener/listener-data.ts';
import type { Log } from '../../../observe/log/log.ts';
import type { OpenedResource, SubscriptionUser } from '../../xds/resource-kind.ts';
import type { ListenerChanges } from '../../snapshot-data.ts';
import type { ListenerFailure } from '../../worker-messages.ts';
import { DynamicListener, type ListenerFault } from './dynamic-listener.ts';
import { replacesInPlace } from './listener-in-place.ts';
import type { ListenerStats } from './listener-stats.ts';
import type { DecodedListener } from '../resource-decoding.ts';

export interface ListenerDirectoryEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly stats: ListenerStats;
  readonly drainTimeMs: number;
  /** A sentence where it is refused. */
  decode(packed: Uint8Array): DecodedListener | string;
  /** Those of the configuration itself: nothing that is discovered may take their names or addresses. */
  statics(): readonly ListenerData[];
  /** `owner` needs what the listener does. Resolves when it need not wait for any of it. */
  warm(owner: string, listener: DecodedListener): Promise<void>;
  /** `owner` needs nothing any more. */
  release(owner: string): void;
  /** Tell the workers. `kinds`: message names of extensions. @returns why it could not be applied */
  publish(changes: ListenerChanges, kinds: readonly string[]): Promise<readonly ListenerFailure[]>;
  /** LDS has answered, or is not to be waited for. */
  onAnswered(): void;
}

/**
 * The listeners that come by LDS. One that is new or changed warms until all that it needs is there, while the one
 * before serves on. Source of its words and rules: Envoy `ListenerManagerImpl` and `LdsApiImpl`.
 */
export class ListenerDirectory implements SubscriptionUser {
  /** Of the last response that changed something. */
  version: string;
  readonly active: Map<string, DynamicListener>;
  readonly warming: Map<string, DynamicListener>;
  /** Removed, or replaced, and their connections may still be there. */
  readonly draining: Set<DynamicListener>;
  /** By name, and those of the last response. */
  readonly faults: Map<string, ListenerFault>;
  lastFaults: readonly ListenerFault[];
  private readonly environment: ListenerDirectoryEnvironment;
  private count: number;
  /** The workers serve: what is new waits for what it needs. Before, the whole start does. */
  private isServing: boolean;

  constructor(environment: ListenerDirectoryEnvironment) {
    this.version = '';
    this.active = new Map();
    this.warming = new Map();
    this.draining = new Set();
    this.faults = new Map();
    this.lastFaults = [];
    this.environment = environment;
    this.count = 0;
    this.isServing = false;
  }

  /** Resolves when no listener of before the start waits for anything. */
  async whenReady(): Promise<void> {
    // What is waited for may bring more.
    for (let waiting = this.unready(); waiting.length > 0; waiting = this.unready())
      await Promise.all(waiting.map(({ ready }) => ready));
  }

  private unready(): DynamicListener[] {
    return [...this.active.values()].filter(({ isReady }) => !isReady);
  }

  /** The workers begin to serve. */
  serve(): void {
    this.isServing = true;
  }

  /** They do; `failures`: what of all listeners they could not. */
  opened(failures: readonly ListenerFailure[]): void {
    for (const listener of this.active.values())
      this.applied(
        listener,
        failures.filter((failure) => failure.listener === listener.name),
      );
  }

  /** One of its name is static now, and takes its place. */
  yieldTo(name: string): void {
    this.remove(name, false);
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    const named = new Set(resources.map(({ name }) => name));
    const gone = [...new Set([...this.active.keys(), ...this.warming.keys()])].filter((name) => !named.has(name));
    return this.onDelta(resources, gone, version);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string {
    const { log, clock } = this.environment;
    let isChanged = false;
    // As Envoy: those that go make room first.
    for (const name of removed) {
      if (!this.remove(name, true)) continue;
      log.info(`lds: remove listener '${name}'`);
      isChanged = true;
    }
    const faults: ListenerFault[] = [];
    const seen = new Set<string>();
    for (const resource of set) {
      const { name, packed } = resource;
      const outcome = seen.has(name) ? `duplicate listener ${name} found` : this.addOrUpdate(resource);
      seen.add(name);
      if (outcome === 'taken') {
        log.info(`lds: add/update listener '${name}'`);
        isChanged = true;
      } else if (outcome === 'same') log.debug(`lds: add/update listener '${name}' skipped`);
      else {
        log.warn(`lds: listener '${name}' config rejected: ${outcome}`);
        faults.push({ name, packed, details: outcome, epochMs: clock.epochMs });
      }
    }
    this.lastFaults = faults;
    if (isChanged) this.version = version;
    this.environment.onAnswered();
    if (faults.length === 0) return '';
    return `Error adding/updating listener(s) ${faults.map(({ name, details }) => `${name}: ${details}\n`).join('')}`;
  }

  onGivenUp(): void {
    this.environment.onAnswered();
  }

  // ---- inside

  /** Anything else is why it is refused. */
  private addOrUpdate({ name, packed, version }: OpenedResource): 'taken' | 'same' | (string & {}) {
    const { stats } = this.environment;
    if (this.environment.statics().some((data) => data.name === name)) return 'same';
    const active = this.active.get(name);
    const warming = this.warming.get(name);
    if (warming !== undefined && active?.isAs(packed) === true) {
      this.warming.delete(name);
      this.environment.release(warming.owner);
      this.faults.delete(name);
      stats.modified.inc();
      this.showCounts();
      return 'taken';
    }
    if (warming?.isAs(packed) === true || active?.isAs(packed) === true) return 'same';
    const decoded = this.environment.decode(packed);
    const refusal = typeof decoded === 'string' ? decoded : this.conflict(name, decoded.data);
    if (typeof decoded === 'string' || refusal !== '') {
      this.faults.set(name, { name, packed, details: refusal, epochMs: this.environment.clock.epochMs });
      return refusal;
    }
    this.faults.delete(name);
    // As in Envoy what is changed in place keeps its version.
    const isInPlace = this.isServing && active !== undefined && replacesInPlace(active, decoded) !== null;
    const owner = `lds/${name}/${++this.count}`;
    const { epochMs } = this.environment.clock;
    this.take(new DynamicListener(decoded, packed, isInPlace ? active.version : version, owner, epochMs));
    return 'taken';
  }

  /** Empty: there is none. Only who is new is asked: others have their place. */
  private conflict(name: string, data: ListenerData): string {
    if (this.active.has(name) || this.warming.has(name)) return '';
    const taken = new Set<string>();
    const others = [...this.active.values(), ...this.warming.values()].map((listener) => listener.data);
    for (const { addresses } of [...this.environment.statics(), ...others])
      for (const address of addresses) taken.add(formatAddress(address));
    const isTaken = data.addresses.some((address) => address.port !== 0 && taken.has(formatAddress(address)));
    if (!isTaken) return '';
    const message =
      `error adding listener: '${name}' has duplicate address '${data.addresses.map(formatAddress).join(',')}' as existing ` +
      `listener, to check if the listener has duplicated addresses with other listeners or 'enable_reuse_port' is set to 'false' for the listener`;
    this.environment.log.warn(message);
    return message;
  }

  private take(listener: DynamicListener): void {
    const { name } = listener;
    const { stats } = this.environment;
    const isNew = !this.active.has(name) && !this.warming.has(name);
    (isNew ? stats.added : stats.modified).inc();
    const before = this.isServing ? this.warming.get(name) : this.active.get(name);
    if (before !== undefined) this.environment.release(before.owner);
    (this.isServing ? this.warming : this.active).set(name, listener);
    this.showCounts();
    listener.ready = this.environment.warm(listener.owner, listener.decoded).then(() => this.onWarm(listener));
    // Before the start everything is kept for the moment when the workers are given all.
    if (!this.isServing) void this.publish({ set: [listener.data], removed: [] }, listener);
  }

  private onWarm(listener: DynamicListener): void {
    const { name } = listener;
    listener.isReady = true;
    if (this.warming.get(name) !== listener) return;
    const before = this.active.get(name);
    this.warming.delete(name);
    this.active.set(name, listener);
    this.showCounts();
    const { stats } = this.environment;
    const chains = before === undefined ? null : replacesInPlace(before, listener);
    if (chains !== null) {
      stats.updatedInPlace.inc();
      this.later(stats.chainsDraining, chains);
    } else if (before !== undefined) this.drain(before);
    void this.replace(before, listener);
  }

  /** What the one before needs is held until the workers have the other. */
  private async replace(before: DynamicListener | undefined, listener: DynamicListener): Promise<void> {
    await this.publish({ set: [listener.data], removed: [] }, listener);
    if (before !== undefined) this.environment.release(before.owner);
  }

  private async publish(changes: ListenerChanges, listener: DynamicListener): Promise<void> {
    const failures = await this.environment.publish(changes, listener.kinds);
    if (this.isServing) this.applied(listener, failures);
  }

  private applied(listener: DynamicListener, failures: readonly ListenerFailure[]): void {
    const { stats, log, clock } = this.environment;
    const { name, packed } = listener;
    if (failures.length === 0) stats.created.inc();
    else stats.notCreated.inc();
    for (const { message } of failures) {
      log.warn(`listener '${name}': ${message}`);
      this.faults.set(name, { name, packed, details: message, epochMs: clock.epochMs });
    }
  }

  private remove(name: string, isTold: boolean): boolean {
    const warming = this.warming.get(name);
    const active = this.active.get(name);
    this.faults.delete(name);
    if (warming === undefined && active === undefined) return false;
    if (warming !== undefined) {
      this.warming.delete(name);
      this.environment.release(warming.owner);
    }
    if (active !== undefined) {
      this.active.delete(name);
      if (this.isServing) this.drain(active);
      const gone = isTold ? this.environment.publish({ set: [], removed: [name] }, []) : Promise.resolve();
      void gone.then(() => this.environment.release(active.owner));
    }
    this.environment.stats.removed.inc();
    this.showCounts();
    return true;
  }

  /** As Envoy, for the whole drain time, whoever is still connected. */
  private drain(listener: DynamicListener): void {
    const { stats } = this.environment;
    this.draining.add(listener);
    this.later(stats.draining, 1, () => this.draining.delete(listener));
  }

  private later(gauge: ListenerStats['draining'], count: number, done: () => void = () => {}): void {
    const { timers, clock, drainTimeMs } = this.environment;
    if (count === 0) return;
    gauge.add(count);
    const end: Timed = {
      deadline: Infinity,
      heapIndex: -1,
      heapKey: Infinity,
      tick: () => {
        gauge.add(-count);
        done();
      },
    };
    timers.schedule(end, clock.now + drainTimeMs);
  }

  private showCounts(): void {
    this.environment.stats.dynamic(this.active.size, this.warming.size);
  }
}
