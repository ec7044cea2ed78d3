/** What the default number of workers depends on. */
export interface ConcurrencySource {
  /** CPUs this process may run on: `os.availableParallelism()`, which heeds the affinity mask. */
  readonly availableParallelism: number;
  /** `ENVOY_CGROUP_CPU_DETECTION`; `false` in any case switches the quota off. */
  readonly cgroupDetection: string | undefined;
  /** Whole text of a file; undefined if it cannot be read. */
  readFile(path: string): string | undefined;
}

/**
 * Default of `--concurrency`: the least of hardware threads, affinity and cgroup CPU quota, and at least 1.
 * The quota is rounded down, only this process's own cgroup is read, and a v1 hierarchy with the cpu controller goes
 * before v2. Source: Envoy `source/server/options_impl_platform_linux.cc`, `cgroup_cpu_util.cc` (1.37 and later).
 */
export function defaultConcurrency(source: ConcurrencySource): number {
  const cpus = Math.max(1, source.availableParallelism);
  if (source.cgroupDetection?.toLowerCase() === 'false') return cpus;
  const quota = cgroupCpus(source);
  return quota === null ? cpus : Math.max(1, Math.min(cpus, quota));
}

function cgroupCpus(source: ConcurrencySource): number | null {
  const mounts = source.readFile('/proc/self/mountinfo');
  const membership = source.readFile('/proc/self/cgroup');
  if (mounts === undefined || membership === undefined) return null;
  const mount = findMount(mounts);
  if (mount === null) return null;
  const path = findPath(membership, mount.version);
  if (path === null) return null;
  const folder = join(mount.point, relative(mount.root, path));
  return mount.version === 1 ? readV1(source, folder) : readV2(source, folder);
}

interface CgroupMount {
  readonly version: 1 | 2;
  /** Part of the hierarchy that is mounted here. */
  readonly root: string;
  readonly point: string;
}

/** Lines of proc(5) mountinfo: `id parent major:minor root point options [optional…] - type source superoptions`. */
function findMount(mounts: string): CgroupMount | null {
  let v2: CgroupMount | null = null;
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , superOptions = ''] = after.split(' ');
    const [, , , root = '/', point = ''] = before.split(' ');
    if (type === 'cgroup' && superOptions.split(',').includes('cpu')) {
      return { version: 1, root: unescape(root), point: unescape(point) };
    }
    if (type === 'cgroup2') v2 = { version: 2, root: unescape(root), point: unescape(point) };
  }
  return v2;
}

/** mountinfo writes space, tab, newline and backslash as octal escapes. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** Lines of cgroups(7) /proc/self/cgroup: `id:controllers:path`; v2 is `0::path`. */
function findPath(membership: string, version: 1 | 2): string | null {
  for (const line of membership.split('\n')) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first < 0 || second < 0) continue;
    const controllers = line.slice(first + 1, second);
    const path = line.slice(second + 1);
    if (version === 2 ? line.startsWith('0::') : controllers.split(',').includes('cpu')) return path;
  }
  return null;
}

function relative(root: string, path: string): string {
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : path;
}

function join(point: string, path: string): string {
  return path === '/' || path === '' ? point : `${point}${path}`;
}

function readV1(source: ConcurrencySource, folder: string): number | null {
  const quota = source.readFile(`${folder}/cpu.cfs_quota_us`);
  const period = source.readFile(`${folder}/cpu.cfs_period_us`);
  return quota === undefined || period === undefined ? null : wholeCpus(quota.trim(), period.trim());
}

function readV2(source: ConcurrencySource, folder: string): number | null {
  const [quota, period, ...rest] = (source.readFile(`${folder}/cpu.max`) ?? '').trim().split(/\s+/);
  return quota === undefined || period === undefined || rest.length > 0 ? null : wholeCpus(quota, period);
}

/** Null: unlimited (`max`, -1) or not understood. */
function wholeCpus(quotaText: string, periodText: string): number | null {
  if (!/^\d+$/.test(quotaText) || !/^\d+$/.test(periodText)) return null;
  const quota = Number(quotaText);
  const period = Number(periodText);
  return quota === 0 || period === 0 ? null : Math.max(1, Math.floor(quota / period));
}
