import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  runtimeBoolean,
  runtimeNumber,
  type RuntimeEntries,
  type RuntimeLayerData,
} from '../../../src/control/runtime-data.ts';
import { readDiskLayer } from '../../../src/control/runtime-disk.ts';
import { Runtime } from '../../../src/control/runtime.ts';
import { LogFormat } from '../../../src/observe/log/log-format.ts';
import { LogLevels } from '../../../src/observe/log/log-levels.ts';
import { LogWriter } from '../../../src/observe/log/log-writer.ts';
import type { StatsScope } from '../../../src/observe/stats/stats.ts';

/** The numbers of one scope, by name. */
class Numbers implements StatsScope {
  readonly values = new Map<string, number>();
  counter(name: string) {
    const add = (amount: number): void => void this.values.set(name, (this.values.get(name) ?? 0) + amount);
    add(0);
    return { inc: () => add(1), dec: () => add(-1), add, set: (value: number) => void this.values.set(name, value) };
  }
  gauge(name: string) {
    return this.counter(name);
  }
  histogram() {
    return { record: () => {} };
  }
  scope(): StatsScope {
    return this;
  }
}

function start(
  layers: readonly RuntimeLayerData[],
  changed: (merged: RuntimeEntries) => void = () => {},
  format = '%v',
) {
  const stats = new Numbers();
  const lines: string[] = [];
  const logs = new LogWriter({
    levels: new LogLevels(),
    format: new LogFormat(format),
    file: { write: (line) => void lines.push(line), reopen: () => {} },
    origin: { threadId: 1, processId: 1, version: '' },
    isEscaped: false,
    now: () => 0,
  });
  const runtime = new Runtime(layers, stats, logs.component('runtime'), changed);
  onTestFinished(() => runtime.close());
  return { runtime, stats: stats.values, lines };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sekisho-runtime-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const base: RuntimeLayerData = {
  kind: 'static',
  name: 'base',
  entries: new Map([
    ['a', runtimeNumber(1)],
    ['b', runtimeNumber(2)],
  ]),
};

test('later layers win, the admin layer can be emptied again', () => {
  const posted: RuntimeEntries[] = [];
  const { runtime, stats } = start([base, { kind: 'admin', name: 'admin' }], (merged) => posted.push(merged));
  expect(
    runtime.modify(
      new Map([
        ['a', '7'],
        ['c', 'x'],
      ]),
    ),
  ).toBe(true);
  expect(runtime.merged.get('a')?.number).toBe(7);
  expect(posted).toEqual([runtime.merged]);
  expect(runtime.report()).toEqual({
    layers: ['base', 'admin'],
    entries: new Map([
      ['a', { layerValues: ['1', '7'], finalValue: '7' }],
      ['b', { layerValues: ['2', ''], finalValue: '2' }],
      ['c', { layerValues: ['', 'x'], finalValue: 'x' }],
    ]),
  });
  expect(stats.get('admin_overrides_active')).toBe(1);
  expect(stats.get('num_keys')).toBe(3);
  runtime.modify(
    new Map([
      ['a', ''],
      ['c', ''],
    ]),
  );
  expect(runtime.merged.get('a')?.number).toBe(1);
  expect(stats.get('admin_overrides_active')).toBe(0);
  expect(stats.get('num_layers')).toBe(2);
  expect(stats.get('load_success')).toBe(3);
});

test('the admin layer has a limit, and without one nothing is modified', () => {
  const { runtime } = start([{ kind: 'admin', name: '' }]);
  const many = new Map(Array.from({ length: 10_001 }, (_, index) => [`k${index}`, 'v']));
  expect(runtime.modify(many)).toBe(false);
  expect(runtime.merged.size).toBe(0);
  const { runtime: fixed } = start([base]);
  expect(fixed.hasAdminLayer).toBe(false);
  expect(fixed.modify(new Map([['a', '7']]))).toBe(false);
});

test('a disk layer: a file per key, folders joined, comment lines left out', () => {
  const path = folder();
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'sub', 'seven'), ' 7 ');
  writeFileSync(join(path, 'flag'), 'true\n');
  writeFileSync(join(path, 'commented'), '#a\nval\n#b\n');
  const entries = readDiskLayer(path)!;
  expect(entries.get('sub.seven')).toMatchObject({ text: ' 7', number: 7 });
  expect(entries.get('flag')?.boolean).toBe(true);
  expect(entries.get('commented')?.text).toBe('val');
});

test('a disk layer is read anew when its link is replaced', async () => {
  const root = folder();
  for (const version of ['one', 'two']) {
    mkdirSync(join(root, version));
    writeFileSync(join(root, version, 'key'), version);
  }
  symlinkSync(join(root, 'one'), join(root, 'current'));
  const changed = Promise.withResolvers<RuntimeEntries>();
  const layer = { kind: 'disk', name: 'd', symlinkRoot: join(root, 'current'), subdirectory: '' } as const;
  const { runtime } = start([layer], (merged) => {
    if (merged.get('key')?.text === 'two') changed.resolve(merged);
  });
  runtime.watch();
  expect(runtime.merged.get('key')?.text).toBe('one');
  symlinkSync(join(root, 'two'), join(root, 'next'));
  renameSync(join(root, 'next'), join(root, 'current'));
  expect((await changed.promise).get('key')?.text).toBe('two');
});

test('a disk layer without a folder is no layer, and is none that failed', () => {
  const { runtime, stats } = start([base, { kind: 'disk', name: 'd', symlinkRoot: '/nonexistent', subdirectory: 'x' }]);
  expect(runtime.report().layers).toEqual(['base']);
  expect(Object.fromEntries(stats)).toMatchObject({ load_error: 0, load_success: 1, num_layers: 1 });
});

test('a disk layer that cannot be read is left out, and is told', () => {
  const path = folder();
  // Deeper than Envoy walks.
  mkdirSync(join(path, ...Array.from({ length: 20 }, () => 'd')), { recursive: true });
  const { runtime, stats, lines } = start([base, { kind: 'disk', name: 'd', symlinkRoot: path, subdirectory: '' }]);
  expect(runtime.report().layers).toEqual(['base']);
  expect(Object.fromEntries(stats)).toMatchObject({ load_error: 1, load_success: 0, num_layers: 1 });
  expect(lines[0]).toContain('Walk recursion depth exceeded 16');
});

test('every change reads the folders anew; two of them override each other, as Envoy counts it', () => {
  const path = folder();
  for (const name of ['base', 'over']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'base', 'key'), '1');
  const disk = (name: string) => ({ kind: 'disk', name, symlinkRoot: path, subdirectory: name }) as const;
  const { runtime, stats } = start([disk('base'), disk('over'), { kind: 'admin', name: 'admin' }]);
  expect(runtime.merged.get('key')?.number).toBe(1);
  writeFileSync(join(path, 'over', 'key'), '2');
  runtime.modify(new Map([['other', '3']]));
  expect(runtime.merged.get('key')?.number).toBe(2);
  rmSync(join(path, 'over'), { recursive: true });
  runtime.modify(new Map([['other', '']]));
  expect(runtime.merged.get('key')?.number).toBe(1);
  expect(Object.fromEntries(stats)).toMatchObject({ override_dir_exists: 2, override_dir_not_exists: 1 });
});

test('what was changed between the start and the watching is not missed', () => {
  const path = folder();
  const { runtime } = start([{ kind: 'disk', name: 'd', symlinkRoot: path, subdirectory: '' }]);
  writeFileSync(join(path, 'key'), '1');
  runtime.watch();
  expect(runtime.merged.get('key')?.number).toBe(1);
});

test("guards of Envoy's own code are warned about, once each", () => {
  const entries = new Map([
    ['envoy.reloadable_features.a', runtimeBoolean(true)],
    ['envoy.restart_features.b', runtimeBoolean(false)],
  ]);
  const { runtime, lines } = start([
    { kind: 'static', name: 's', entries },
    { kind: 'admin', name: 'admin' },
  ]);
  runtime.modify(new Map([['envoy.reloadable_features.a', 'false']]));
  expect(lines).toEqual([
    'runtime key envoy.reloadable_features.a has no effect in sekisho: it chooses between old and new code of Envoy\n',
    'runtime key envoy.restart_features.b has no effect in sekisho: it chooses between old and new code of Envoy\n',
  ]);
});

test('guards that Istio always sets are for those who look closely', () => {
  const entries = new Map([
    ['envoy.reloadable_features.fixed_heap_use_allocated', runtimeBoolean(true)],
    ['envoy.reloadable_features.http_reject_path_with_fragment', runtimeBoolean(false)],
  ]);
  const { lines } = start([{ kind: 'static', name: 's', entries }], () => {}, '%l');
  expect(lines).toEqual(['debug\n', 'debug\n']);
});

test('a layer of a control plane is empty until it says something, and holds over those before it', () => {
  const source = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } as const;
  const { runtime, stats } = start([base, { kind: 'rtds', name: 'remote', resource: 'r', source }]);
  expect(runtime.report().layers).toEqual(['base', 'remote']);
  const before = runtime.merged;
  runtime.setDiscovered('remote', new Map([['new', runtimeNumber(7)]]));
  expect(runtime.merged.get('new')?.number).toBe(7);
  expect(stats.get('num_layers')).toBe(2);
  runtime.setDiscovered('remote', new Map());
  expect(runtime.merged).toEqual(before);
});

test('other layers take the place of those in force', () => {
  const source = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } as const;
  const remote = { kind: 'rtds', name: 'remote', resource: 'r', source } as const;
  const changes: RuntimeEntries[] = [];
  const { runtime, stats } = start([base, remote, { kind: 'admin', name: 'a' }], (merged) => changes.push(merged));
  runtime.modify(new Map([['set', '1']]));
  runtime.setDiscovered('remote', new Map([['new', runtimeNumber(7)]]));
  runtime.replace([
    { kind: 'static', name: 'other', entries: new Map([['only', runtimeNumber(1)]]) },
    remote,
    { kind: 'admin', name: 'a' },
  ]);
  expect([...changes.at(-1)!.keys()]).toEqual(['only', 'new', 'set']);
  runtime.replace([{ kind: 'static', name: 'other', entries: new Map([['only', runtimeNumber(1)]]) }]);
  expect([...changes.at(-1)!.keys()]).toEqual(['only']);
  expect(stats.get('admin_overrides_active')).toBe(0);
  runtime.replace([remote, { kind: 'admin', name: 'a' }]);
  expect(changes.at(-1)!.size).toBe(0);
});
