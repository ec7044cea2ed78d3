import { join } from 'node:path';
import type { Log } from '../observe/log/log.ts';
import type { Counter, Gauge, StatsScope } from '../observe/stats.ts';
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

/**
 * The layered runtime on the main thread. Every change makes a new merged map, which `onChange` gets (to post it to
 * the workers, see `RuntimeValues`).
 */
export class Runtime {
  private readonly layers: readonly RuntimeLayerData[];
  private readonly values: RuntimeEntries[];
  private readonly onChange: (merged: RuntimeEntries) => void;
  private readonly log: Log;
  private readonly stats: RuntimeStats;
  private readonly watchers: { close(): void }[] = [];
  private mergedEntries: RuntimeEntries = new Map();

  /**
   * A disk layer that cannot be read is empty until it can, as in Envoy: `runtime.load_error` and the log tell.
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
    this.values = layers.map((layer) => this.load(layer) ?? new Map());
    this.merge();
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
    const index = this.layers.findIndex(({ kind }) => kind === 'admin');
    const entries = new Map<string, RuntimeValue>(this.values[index]);
    for (const [key, text] of changes) {
      if (text === '') entries.delete(key);
      else entries.set(key, runtimeText(text));
    }
    if (index < 0 || entries.size > adminEntriesMax) return false;
    this.values[index] = entries;
    this.stats.adminOverridesActive.set(entries.size > 0 ? 1 : 0);
    this.merge();
    this.onChange(this.mergedEntries);
    return true;
  }

  /** Begins to watch the disk layers. Until `close`. */
  watch(): void {
    this.layers.forEach((layer, index) => {
      if (layer.kind !== 'disk') return;
      try {
        this.watchers.push(watchDiskLayer(layer.symlinkRoot, () => this.reload(index)));
      } catch (error) {
        this.log.warn(`runtime folder ${layer.symlinkRoot} cannot be watched: ${String(error)}`);
      }
    });
  }

  close(): void {
    for (const watcher of this.watchers.splice(0)) watcher.close();
  }

  report(): RuntimeReport {
    const entries = new Map<string, { layerValues: string[]; finalValue: string }>();
    for (const [key, value] of this.mergedEntries) {
      const layerValues = this.values.map((layer) => layer.get(key)?.text ?? '');
      entries.set(key, { layerValues, finalValue: value.text });
    }
    return { layers: this.layers.map(({ name }) => name), entries };
  }

  /** A folder that cannot be read leaves the layer as it was. */
  private reload(index: number): void {
    const entries = this.load(this.layers[index]);
    if (entries === null) return;
    this.values[index] = entries;
    this.merge();
    this.onChange(this.mergedEntries);
  }

  /** Null: a disk layer that cannot be read. */
  private load(layer: RuntimeLayerData): RuntimeEntries | null {
    if (layer.kind === 'static') return layer.entries;
    if (layer.kind === 'admin') return new Map();
    try {
      return readDiskLayer(join(layer.symlinkRoot, layer.subdirectory));
    } catch (error) {
      this.stats.loadError.inc();
      this.log.warn(`error loading runtime values for layer ${layer.name}: ${String(error)}`);
      return null;
    }
  }

  private merge(): void {
    const merged = new Map<string, RuntimeValue>();
    for (const layer of this.values) for (const [key, value] of layer) merged.set(key, value);
    this.mergedEntries = merged;
    this.stats.numKeys.set(merged.size);
    this.stats.numLayers.set(this.layers.length);
    this.stats.loadSuccess.inc();
    const hasDiskLayer = this.layers.some(({ kind }) => kind === 'disk');
    (hasDiskLayer ? this.stats.overrideDirExists : this.stats.overrideDirNotExists).inc();
  }
}

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
