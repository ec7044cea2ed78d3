import { lstatSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { Log } from '../../observe/log/log.ts';

/** A pair of files is moved in two steps: what follows within this belongs to one change. */
const settleMs = 20;

/** One who wants to know of a folder, or of one name in it. */
class Watcher implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly name: string | null;
  private readonly onMoved: () => void;

  constructor(name: string | null, onMoved: () => void) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.name = name;
    this.onMoved = onMoved;
  }

  tick(): void {
    this.onMoved();
  }
}

interface WatchedDirectory {
  readonly handle: FSWatcher;
  readonly watchers: Set<Watcher>;
}

/**
 * Says when something was moved into a folder: how files are replaced whole, by `mv` and by Kubernetes, which moves the
 * link `..data`. Files that are written in place are none of it, as in Envoy: they may be half written.
 */
export class DirectoryWatches {
  private readonly clock: Clock;
  private readonly timers: Timers;
  /** Reads the time: nobody else does before a file event. */
  private readonly enter: () => void;
  private readonly log: Log;
  private readonly directories: Map<string, WatchedDirectory>;

  constructor(clock: Clock, timers: Timers, enter: () => void, log: Log) {
    this.clock = clock;
    this.timers = timers;
    this.enter = enter;
    this.log = log;
    this.directories = new Map();
  }

  /**
   * @param name of a file in the folder; null: whatever is moved there
   * @returns how to end it
   */
  watch(directory: string, name: string | null, onMoved: () => void): () => void {
    const watcher = new Watcher(name, onMoved);
    const watched = this.directories.get(directory) ?? this.open(directory);
    if (watched === null) return () => {};
    watched.watchers.add(watcher);
    return () => {
      this.timers.cancel(watcher);
      watched.watchers.delete(watcher);
      if (watched.watchers.size > 0) return;
      watched.handle.close();
      this.directories.delete(directory);
    };
  }

  private open(directory: string): WatchedDirectory | null {
    const watchers = new Set<Watcher>();
    try {
      const handle = watch(directory, { persistent: false }, (event, name) => {
        // `change` is a write; `rename` whatever comes or goes.
        if (event === 'rename' && isThere(directory, name)) this.moved(watchers, name);
      });
      handle.on('error', (error) => this.log.warn(`folder ${directory} is watched no more: ${error.message}`));
      const watched = { handle, watchers };
      this.directories.set(directory, watched);
      return watched;
    } catch (error) {
      this.log.warn(`folder ${directory} cannot be watched: ${(error as Error).message}`);
      return null;
    }
  }

  private moved(watchers: ReadonlySet<Watcher>, name: string | null): void {
    this.enter();
    for (const watcher of watchers) {
      if (watcher.name !== null && name !== null && watcher.name !== name) continue;
      this.timers.schedule(watcher, this.clock.now + settleMs);
    }
  }
}

function isThere(directory: string, name: string | null): boolean {
  return name === null || lstatSync(join(directory, name), { throwIfNoEntry: false }) !== undefined;
}
