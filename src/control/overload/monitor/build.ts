import { runtimeInteger, type RuntimeView } from '../../../core/runtime-view.ts';
import type { ResourceData } from '../overload-data.ts';
import { CgroupMemory } from './cgroup-memory.ts';
import { containerTimes, hostTimes } from './cpu-times.ts';
import { CpuUtilization } from './cpu-utilization.ts';
import { systemFiles } from './files.ts';
import { FixedHeap } from './fixed-heap.ts';
import { InjectedResource } from './injected-resource.ts';
import type { ResourceMonitor } from './monitor.ts';

/** @throws Error where this machine has no such resource */
export function buildMonitor(data: ResourceData, runtime: RuntimeView, files = systemFiles): ResourceMonitor {
  switch (data.kind) {
    case 'fixed_heap':
      return new FixedHeap(() =>
        data.runtimeKey === '' ? data.bytesMax : runtimeInteger(runtime, data.runtimeKey, data.bytesMax),
      );
    case 'cgroup_memory':
      return new CgroupMemory(data.bytesMax, files);
    case 'cpu_utilization':
      return new CpuUtilization(
        data.ofContainer ? () => containerTimes(files, performance.now()) : () => hostTimes(files),
      );
    case 'injected_resource':
      return new InjectedResource(data.file, files);
  }
}
