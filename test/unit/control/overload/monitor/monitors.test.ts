import { expect, it } from 'vitest';
import { buildMonitor } from '../../../../../src/control/overload/monitor/build.ts';
import { containerTimes, hostTimes } from '../../../../../src/control/overload/monitor/cpu-times.ts';
import { CpuUtilization, type CpuTimes } from '../../../../../src/control/overload/monitor/cpu-utilization.ts';
import type { SystemFiles } from '../../../../../src/control/overload/monitor/files.ts';
import { FixedHeap } from '../../../../../src/control/overload/monitor/fixed-heap.ts';
import { runtimeNumber } from '../../../../../src/control/runtime-data.ts';
import { RuntimeValues } from '../../../../../src/control/runtime-view.ts';

/** Files of a machine that a test makes up. */
class Files implements SystemFiles {
  readonly texts: Map<string, string>;
  moves = 0;

  constructor(texts: Readonly<Record<string, string>>) {
    this.texts = new Map(Object.entries(texts));
  }

  read(path: string): string {
    const text = this.texts.get(path);
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  }

  exists(path: string): boolean {
    return this.texts.has(path);
  }

  identity(path: string): number {
    this.read(path);
    return this.moves;
  }

  move(path: string, text: string): void {
    this.texts.set(path, text);
    this.moves++;
  }
}

const runtime = new RuntimeValues();

it('fixed_heap: what the process holds, of what it may; the runtime may say how much', () => {
  expect(
    new FixedHeap(
      () => 200,
      () => 50,
    ).pressure(),
  ).toBe(0.25);
  const held = process.memoryUsage.rss();
  const data = { kind: 'fixed_heap', bytesMax: held * 1000, runtimeKey: 'heap' } as const;
  expect(buildMonitor(data, runtime).pressure()).toBeLessThan(0.1);
  expect(buildMonitor(data, new RuntimeValues(new Map([['heap', runtimeNumber(1000)]]))).pressure()).toBeGreaterThan(1);
});

it('injected_resource: a file counts when it is moved to its place', () => {
  const files = new Files({ p: '0.5\n' });
  const monitor = buildMonitor({ kind: 'injected_resource', file: 'p' }, runtime, files);
  expect(monitor.pressure()).toBe(0.5);
  files.texts.set('p', '0.9');
  expect(monitor.pressure()).toBe(0.5);
  files.move('p', '0.9');
  expect(monitor.pressure()).toBe(0.9);
  files.texts.delete('p');
  expect(monitor.pressure()).toBe(0.9);
});

it.each([
  ['much', 'failed to parse injected resource pressure'],
  ['', 'failed to parse injected resource pressure'],
  ['0x1', 'failed to parse injected resource pressure'],
  ['1.1', 'pressure out of range'],
  ['-0.1', 'pressure out of range'],
])('injected_resource: %j is no pressure, and the next file may be one', (text, problem) => {
  const files = new Files({ p: text });
  const monitor = buildMonitor({ kind: 'injected_resource', file: 'p' }, runtime, files);
  expect(() => monitor.pressure()).toThrow(problem);
  expect(() => monitor.pressure()).toThrow(problem);
  files.move('p', '1');
  expect(monitor.pressure()).toBe(1);
});

it('injected_resource: a file that is not there yet may come', () => {
  const files = new Files({});
  const monitor = buildMonitor({ kind: 'injected_resource', file: 'p' }, runtime, files);
  expect(() => monitor.pressure()).toThrow('no p');
  files.move('p', '0');
  expect(monitor.pressure()).toBe(0);
});

const v2 = { '/sys/fs/cgroup/memory.current': '50\n', '/sys/fs/cgroup/memory.max': '200\n' };
const v1 = {
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': '50',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '-1',
};

it.each([
  ['the newer hierarchy', v2, 0, 0.25],
  ['a smaller limit of ours', v2, 100, 0.5],
  ['a larger limit of ours', v2, 1000, 0.25],
  ['no limit', { ...v2, '/sys/fs/cgroup/memory.max': 'max\n' }, 0, 0],
  ['a limit of ours alone', { ...v2, '/sys/fs/cgroup/memory.max': 'max\n' }, 500, 0.1],
  ['the older hierarchy', v1, 0, 0],
  ['the older hierarchy with a limit of ours', v1, 100, 0.5],
])('cgroup_memory: %s', (_, texts, bytesMax, pressure) => {
  expect(buildMonitor({ kind: 'cgroup_memory', bytesMax }, runtime, new Files(texts)).pressure()).toBe(pressure);
});

it('cgroup_memory: a machine without, and a file that is otherwise', () => {
  const data = { kind: 'cgroup_memory', bytesMax: 0 } as const;
  expect(() => buildMonitor(data, runtime, new Files({}))).toThrow('No supported cgroup memory implementation found');
  const files = new Files({ ...v2, '/sys/fs/cgroup/memory.max': 'x' });
  expect(() => buildMonitor(data, runtime, files).pressure()).toThrow('/sys/fs/cgroup/memory.max');
});

it('cpu_utilization: work over time, smoothed', () => {
  const times: CpuTimes[] = [
    { work: 100, total: 1000, utilizationMax: 1 },
    { work: 200, total: 1100, utilizationMax: 1 },
    { work: 200, total: 1200, utilizationMax: 1 },
    { work: 500, total: 1300, utilizationMax: 1 },
  ];
  const monitor = new CpuUtilization(() => times.shift()!);
  expect(monitor.pressure()).toBe(0);
  expect(monitor.pressure()).toBeCloseTo(0.05, 10);
  expect(monitor.pressure()).toBeCloseTo(0.0475, 10);
  expect(monitor.pressure()).toBeCloseTo(0.05 + 0.95 * 0.0475, 10);
});

it('cpu_utilization: times that do not go on are no answer', () => {
  const same = { work: 1, total: 1, utilizationMax: 1 };
  const monitor = new CpuUtilization(() => same);
  monitor.pressure();
  expect(() => monitor.pressure()).toThrow('processor times went from');
});

it('HOST: the first line of /proc/stat', () => {
  expect(hostTimes(new Files({ '/proc/stat': 'cpu  10 20 30 40 50 60\ncpu0 1 2 3 4\n' }))).toEqual({
    work: 60,
    total: 100,
    utilizationMax: 1,
  });
  expect(() => hostTimes(new Files({ '/proc/stat': 'cpu0 1 2 3 4' }))).toThrow('Unexpected format');
});

it.each([
  ['max 100000', '0-3', 4],
  ['200000 100000', '0-3', 2],
  ['50000 100000', '0', 0.5],
  ['800000 100000', '0-2,4', 4],
])('CONTAINER: quota %j on processors %j', (max, cpus, cores) => {
  const files = new Files({
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 750\nuser_usec 1\n',
    '/sys/fs/cgroup/cpu.max': `${max}\n`,
    '/sys/fs/cgroup/cpuset.cpus.effective': `${cpus}\n`,
  });
  expect(containerTimes(files, 2)).toEqual({ work: 750, total: 2000 * cores, utilizationMax: 1 });
});

it('CONTAINER: the older hierarchy, and files that are otherwise', () => {
  const files = new Files({
    '/sys/fs/cgroup/cpu/cpu.shares': '500\n',
    '/sys/fs/cgroup/cpuacct/cpuacct.usage': '7000\n',
  });
  expect(containerTimes(files, 2)).toEqual({ work: 7, total: 1000, utilizationMax: Infinity });
  expect(() => containerTimes(new Files({ '/sys/fs/cgroup/cpu.stat': 'x' }), 1)).toThrow('cpu.stat');
  files.texts.set('/sys/fs/cgroup/cpu/cpu.shares', '0');
  expect(() => containerTimes(files, 1)).toThrow('cpu.shares');
  const odd = new Files({
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 1',
    '/sys/fs/cgroup/cpu.max': 'max 1',
    '/sys/fs/cgroup/cpuset.cpus.effective': '3-1',
  });
  expect(() => containerTimes(odd, 1)).toThrow('cpuset.cpus.effective');
});

it('this machine has processor times', () => {
  const monitor = buildMonitor({ kind: 'cpu_utilization', ofContainer: false }, runtime);
  expect(monitor.pressure()).toBe(0);
});
