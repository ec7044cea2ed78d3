import { expect, test } from 'vitest';
import { defaultConcurrency } from '../../../src/cli/concurrency.ts';

const v2Mounts = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';
const v1Mounts = '33 32 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n';

function concurrency(cpus: number, files: Record<string, string>, cgroupDetection?: string): number {
  return defaultConcurrency({ availableParallelism: cpus, cgroupDetection, readFile: (path) => files[path] });
}

function v2(cpus: number, cpuMax: string, detection?: string): number {
  const files = {
    '/proc/self/mountinfo': v2Mounts,
    '/proc/self/cgroup': '0::/pod/app\n',
    '/sys/fs/cgroup/pod/app/cpu.max': cpuMax,
  };
  return concurrency(cpus, files, detection);
}

// The worker counts that Envoy 1.37 and later shows with these quotas.
test.each([
  ['max 100000\n', 20],
  ['50000 100000\n', 1],
  ['150000 100000\n', 1],
  ['199000 100000\n', 1],
  ['200000 100000\n', 2],
  ['250000 100000\n', 2],
  ['300000 100000\n', 3],
  ['nonsense\n', 20],
  ['200000 0\n', 20],
])('cgroup v2 quota %j on 20 CPUs: %i', (cpuMax, expected) => {
  expect(v2(20, cpuMax)).toBe(expected);
});

test('the quota does not raise the number of CPUs', () => {
  expect(v2(2, '300000 100000')).toBe(2);
});

test('ENVOY_CGROUP_CPU_DETECTION=false leaves the quota out, other values do not', () => {
  expect(v2(20, '150000 100000', 'FALSE')).toBe(20);
  expect(v2(20, '150000 100000', '0')).toBe(1);
});

test('a v1 hierarchy with the cpu controller goes before v2', () => {
  const files = {
    '/proc/self/mountinfo': v2Mounts + v1Mounts,
    '/proc/self/cgroup': '5:cpu,cpuacct:/docker/x\n0::/docker/x\n',
    '/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us': '400000\n',
    '/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/docker/x/cpu.max': '100000 100000',
  };
  expect(concurrency(8, files)).toBe(4);
});

test('v1 without a quota (-1) is unlimited', () => {
  const files = {
    '/proc/self/mountinfo': v1Mounts,
    '/proc/self/cgroup': '5:cpu,cpuacct:/\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  };
  expect(concurrency(8, files)).toBe(8);
});

test('a mount of a part of the hierarchy: the path is relative to it', () => {
  const files = {
    '/proc/self/mountinfo': '30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
    '/proc/self/cgroup': '0::/docker/abc/inner\n',
    '/sys/fs/cgroup/inner/cpu.max': '200000 100000',
  };
  expect(concurrency(8, files)).toBe(2);
});

test('no cgroups at all, and never less than one', () => {
  expect(concurrency(4, {})).toBe(4);
  expect(concurrency(0, {})).toBe(1);
});
