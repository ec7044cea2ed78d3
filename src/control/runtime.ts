import { join } from 'node:path';
import type { Log } from '../observe/log/log.ts';
import type { Counter, Gauge, StatsScope } from '../observe/stats/stats.ts';
import { runtimeText, type RuntimeEntries, type RuntimeLayerData, type RuntimeValue } from './runtime-data.ts';
import { readDiskLayer, watchDiskLayer } from './runtime-disk.ts';

/** Keys that `/runtime_modify` may have set at one time: enough for every key that there is. */
const adminEntriesMax = 10_000;

/** What `/runtime` shows. */
export interface RuntimeReport {
  readonly layers: readonly string[];
  /** By key: a text per layer, empty where the layer does not have it, and the one that holds. */
  readonly entries: ReadonlyMap<string, { readonly layerValues: readonly string[]; readonly finalValue: string }>;
}

interface RuntimeStats {
  readonly adminOverridesActive: Gauge;
  readonly numKeys: Gauge;
  readonly numLayers: Gauge;
  readonly loadSuccess: Counter;
  readonly loadError: Counter;
  readonly overrideDirExists: Counter;
  readonly overrideDirNotExists: Counter;
}

/** A layer that is there: a disk layer without a folder is none. */
interface LoadedLayer {
  readonly name: string;
  readonly entries: RuntimeEntries;
}

/**
 * The layered runtime on the main thread. Every change makes a new merged map, which `onChange` gets (to post it to
 * the workers, see `RuntimeValues`). As in Envoy, every change reads all disk layers anew.
 */
export class Runtime {
  private layers: readonly RuntimeLayerData[];
  private readonly onChange: (merged: RuntimeEntries) => void;
  private readonly log: Log;
  private readonly stats: RuntimeStats;
  private readonly watchers: { close(): void }[] = [];
  private readonly warned: Set<string> = new Set();
  /** What `/runtime_modify` has set. */
  private overrides: RuntimeEntries = new Map();
  /** What control planes have said, by layer. */
  private readonly discovered: Map<string, RuntimeEntries> = new Map();
  private loaded: readonly LoadedLayer[] = [];
  private mergedEntries: RuntimeEntries = new Map();

  /**
   * A disk layer that cannot be read is left out until it can, as in Envoy: `runtime.load_error` and the log tell.
   * @param scope the root scope; names are `runtime.*`
   */
  constructor(
    layers: readonly RuntimeLayerData[],
    scope: StatsScope,
    log: Log,
    onChange: (merged: RuntimeEntries) => void,
  ) {
    this.layers = layers;
    this.log = log;
    this.onChange = onChange;
    this.stats = runtimeStats(scope.scope('runtime'));
    this.load();
  }

  /** All layers in one; what the workers are given at their start. */
  get merged(): RuntimeEntries {
    return this.mergedEntries;
  }

  get hasAdminLayer(): boolean {
    return this.layers.some(({ kind }) => kind === 'admin');
  }

  /** Sets values in the admin layer; an empty text takes a key out of it. False: too many keys, nothing was changed. */
  modify(changes: ReadonlyMap<string, string>): boolean {
    const overrides = new Map<string, RuntimeValue>(this.overrides);
    for (const [key, text] of changes) {
      if (text === '') overrides.delete(key);
      else overrides.set(key, runtimeText(text));
    }
    if (!this.hasAdminLayer || overrides.size > adminEntriesMax) return false;
    this.overrides = overrides;
    this.stats.adminOverridesActive.set(overrides.size > 0 ? 1 : 0);
    this.reload();
    return true;
  }

  /** What a control plane says of a layer that is its to fill. */
  setDiscovered(layer: string, entries: RuntimeEntries): void {
    this.discovered.set(layer, entries);
    this.reload();
  }

  /** Other layers take the place of those in force; what the admin has set stays, as long as there is a layer for it. */
  replace(layers: readonly RuntimeLayerData[]): void {
    this.layers = layers;
    for (const name of this.discovered.keys())
      if (!layers.some((layer) => layer.kind === 'rtds' && layer.name === name)) this.discovered.delete(name);
    if (!this.hasAdminLayer) this.overrides = new Map();
    this.stats.adminOverridesActive.set(this.overrides.size > 0 ? 1 : 0);
    this.close();
    this.watch();
  }

  /** Begins to watch the disk layers, whatever they have become since they were read. Until `close`. */
  watch(): void {
    for (const layer of this.layers) {
      if (layer.kind !== 'disk') continue;
      try {
        this.watchers.push(watchDiskLayer(layer.symlinkRoot, () => this.reload()));
      } catch (error) {
        this.log.warn(`runtime folder ${layer.symlinkRoot} cannot be watched: ${String(error)}`);
      }
    }
    this.reload();
  }

  close(): void {
    for (const watcher of this.watchers.splice(0)) watcher.close();
  }

  report(): RuntimeReport {
    const entries = new Map<string, { layerValues: string[]; finalValue: string }>();
    for (const [key, value] of this.mergedEntries) {
      const layerValues = this.loaded.map((layer) => layer.entries.get(key)?.text ?? '');
      entries.set(key, { layerValues, finalValue: value.text });
    }
    return { layers: this.loaded.map(({ name }) => name), entries };
  }

  private reload(): void {
    this.load();
    this.onChange(this.mergedEntries);
  }

  private load(): void {
    const { stats } = this;
    let failures = 0;
    let disks = 0;
    this.loaded = this.layers.flatMap((layer): LoadedLayer[] => {
      const { name } = layer;
      if (layer.kind === 'static') return [{ name, entries: layer.entries }];
      if (layer.kind === 'rtds') return [{ name, entries: this.discovered.get(name) ?? new Map() }];
      if (layer.kind === 'admin') return [{ name, entries: this.overrides }];
      try {
        const entries = readDiskLayer(join(layer.symlinkRoot, layer.subdirectory));
        if (entries === null) {
          this.log.info(`runtime layer ${name} has no folder yet`);
          return [];
        }
        disks++;
        return [{ name, entries }];
      } catch (error) {
        failures++;
        this.log.warn(`error loading runtime values for layer ${name}: ${String(error)}`);
        return [];
      }
    });
    const merged = new Map<string, RuntimeValue>();
    for (const { entries } of this.loaded) for (const [key, value] of entries) merged.set(key, value);
    this.mergedEntries = merged;
    this.warnOfFeatures();
    stats.numKeys.set(merged.size);
    stats.numLayers.set(this.loaded.length);
    (failures === 0 ? stats.loadSuccess : stats.loadError).inc();
    // Envoy's: the second folder is what overrides the first.
    (disks > 1 ? stats.overrideDirExists : stats.overrideDirNotExists).inc();
  }

  /** Once of each: Envoy's guards choose between the old and the new code of its own. */
  private warnOfFeatures(): void {
    for (const key of this.mergedEntries.keys()) {
      if (!guard.test(key) || this.warned.has(key)) continue;
      this.warned.add(key);
      const text = `runtime key ${key} has no effect in sekisho: it chooses between old and new code of Envoy`;
      if (istioGuards.has(key)) this.log.debug(text);
      else this.log.warn(text);
    }
  }
}

/** What guards Envoy's changes of behaviour. */
const guard = /^envoy\.(?:reloadable|restart)_features\./;

/** Istio writes these into the bootstrap of every proxy: nobody could act on a warning. */
const istioGuards: ReadonlySet<string> = new Set([
  'envoy.reloadable_features.fixed_heap_use_allocated',
  'envoy.reloadable_features.http_reject_path_with_fragment',
]);

/** Asked for at once, so that all of them show from the start. */
function runtimeStats(scope: StatsScope): RuntimeStats {
  scope.counter('deprecated_feature_use');
  scope.gauge('deprecated_feature_seen_since_process_start');
  return {
    adminOverridesActive: scope.gauge('admin_overrides_active'),
    numKeys: scope.gauge('num_keys'),
    numLayers: scope.gauge('num_layers'),
    loadSuccess: scope.counter('load_success'),
    loadError: scope.counter('load_error'),
    overrideDirExists: scope.counter('override_dir_exists'),
    overrideDirNotExists: scope.counter('override_dir_not_exists'),
  };
}
