import type { CpuTimes } from './cpu-utilization.ts';
import type { SystemFiles } from './files.ts';

/**
 * Of the whole machine, in ticks of the kernel: user, nice and system, to those and idle.
 * @throws Error when the file is otherwise than proc(5) has it
 */
export function hostTimes(files: SystemFiles): CpuTimes {
  const times = /^cpu  (\d+) (\d+) (\d+) (\d+)/.exec(files.read('/proc/stat'));
  if (times === null) throw new Error('Unexpected format in linux cpu stats file /proc/stat');
  const [user, nice, system, idle] = times.slice(1).map(Number);
  const work = user + nice + system;
  return { work, total: work + idle, utilizationMax: 1 };
}

/**
 * Of the container, in microseconds: what it has run, to what its processors or its quota would have let it.
 * @param nowMs monotonic
 * @throws Error when no cgroup accounts for processor time
 */
export function containerTimes(files: SystemFiles, nowMs: number): CpuTimes {
  const micros = nowMs * 1000;
  if (files.exists('/sys/fs/cgroup/cpu.stat')) {
    const work = /^usage_usec (\d+)$/m.exec(files.read('/sys/fs/cgroup/cpu.stat'));
    if (work === null) throw new Error('Unexpected format in /sys/fs/cgroup/cpu.stat');
    return { work: Number(work[1]), total: micros * allowedCores(files), utilizationMax: 1 };
  }
  // As Envoy, which takes a share for a thousandth of a processor. The older hierarchy counts nanoseconds.
  const shares = Number(files.read('/sys/fs/cgroup/cpu/cpu.shares'));
  const usage = Number(files.read('/sys/fs/cgroup/cpuacct/cpuacct.usage'));
  if (!(shares > 0) || Number.isNaN(usage)) throw new Error('Unexpected format in the cgroup of cpu.shares');
  return { work: usage / 1000, total: (micros * shares) / 1000, utilizationMax: Infinity };
}

/** The processors that it may run on, or fewer where it has a quota. */
function allowedCores(files: SystemFiles): number {
  const cores = coreCount(files.read('/sys/fs/cgroup/cpuset.cpus.effective').trim());
  const [quota, period] = files.read('/sys/fs/cgroup/cpu.max').trim().split(' ');
  return quota === 'max' ? cores : Math.min(cores, Number(quota) / Number(period));
}

/** `0-3,6` → 5. */
function coreCount(list: string): number {
  let count = 0;
  for (const range of list.split(',')) {
    const [from, to = from] = range.split('-').map(Number);
    if (!/^\d+(?:-\d+)?$/.test(range) || to < from)
      throw new Error(`Unexpected format in cpuset.cpus.effective: ${list}`);
    count += to - from + 1;
  }
  return count;
}
