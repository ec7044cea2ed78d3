import { readdirSync, readFileSync, statSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runtimeText, type RuntimeEntries, type RuntimeValue } from './runtime-data.ts';

/** Deepest folder below the layer's own. Source: Envoy `DiskLayer::MaxWalkDepth`. */
const walkDepthMax = 16;

/** Largest file that is taken for a value: they hold a word or two. */
const valueBytesMax = 64 * 1024;

/**
 * Reads a disk layer: a file per key, folders joined with dots, `#` lines left out. Null: there is no such folder.
 * @throws Error when a folder or file cannot be read
 */
export function readDiskLayer(folder: string): RuntimeEntries | null {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  const entries = new Map<string, RuntimeValue>();
  walk(folder, '', entries, 1);
  return entries;
}

function walk(folder: string, prefix: string, entries: Map<string, RuntimeValue>, depth: number): void {
  if (depth > walkDepthMax) throw new Error(`Walk recursion depth exceeded ${walkDepthMax}`);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = statSync(path);
    const key = prefix === '' ? name : `${prefix}.${name}`;
    if (stats.isDirectory()) walk(path, key, entries, depth + 1);
    else if (stats.isFile()) entries.set(key, readValue(path, stats.size));
  }
}

function readValue(path: string, size: number): RuntimeValue {
  if (size > valueBytesMax) throw new Error(`${path} is larger than ${valueBytesMax} bytes`);
  const lines = readFileSync(path, 'utf8').split('\n');
  return runtimeText(
    lines
      .filter((line) => !line.startsWith('#'))
      .join('\n')
      .trimEnd(),
  );
}

/**
 * Calls `changed` when the symbolic link `symlinkRoot` is replaced: runtime folders are swapped whole, by renaming a
 * link over the old one, so its folder is what is watched.
 * @throws Error when the folder cannot be watched
 */
export function watchDiskLayer(symlinkRoot: string, changed: () => void): FSWatcher {
  const name = basename(symlinkRoot);
  return watch(dirname(symlinkRoot), { persistent: false }, (_event, file) => {
    if (file === null || file === name) changed();
  });
}
