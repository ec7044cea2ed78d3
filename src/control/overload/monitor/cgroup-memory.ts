import type { SystemFiles } from './files.ts';
import type { ResourceMonitor } from './monitor.ts';

/** Usage and limit; the newer hierarchy first. */
const hierarchies = [
  ['/sys/fs/cgroup/memory.current', '/sys/fs/cgroup/memory.max'],
  ['/sys/fs/cgroup/memory/memory.usage_in_bytes', '/sys/fs/cgroup/memory/memory.limit_in_bytes'],
] as const;

/** `envoy.resource_monitors.cgroup_memory`: what the container takes of what it may. */
export class CgroupMemory implements ResourceMonitor {
  private readonly bytesMax: number;
  private readonly files: SystemFiles;
  private readonly usagePath: string;
  private readonly limitPath: string;

  /**
   * @param bytesMax 0: the cgroup's own limit counts alone
   * @throws Error where there is no cgroup that accounts for memory
   */
  constructor(bytesMax: number, files: SystemFiles) {
    this.bytesMax = bytesMax;
    this.files = files;
    const found = hierarchies.find((paths) => paths.every((path) => files.exists(path)));
    if (found === undefined) throw new Error('No supported cgroup memory implementation found');
    [this.usagePath, this.limitPath] = found;
  }

  pressure(): number {
    const own = this.number(this.limitPath);
    const limit = this.bytesMax > 0 ? Math.min(this.bytesMax, own) : own;
    return limit === Infinity ? 0 : this.number(this.usagePath) / limit;
  }

  /** `max`, and -1 in the older hierarchy, are no limit. */
  private number(path: string): number {
    const text = this.files.read(path).trim();
    if (text === 'max' || text === '-1') return Infinity;
    if (!/^\d+$/.test(text)) throw new Error(`Unable to parse memory stats from file at ${path}`);
    return Number(text);
  }
}
