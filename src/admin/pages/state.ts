import { hotRestartVersion } from '../../cli/version.ts';
import { json, text, type Page } from '../page.ts';

/** `/memory`: `envoy.admin.v3.Memory`. What only tcmalloc has is 0. */
export const memoryPage: Page = (_request, source) => {
  const { allocated, heapSize, physical } = source.memory();
  return json({
    allocated: String(allocated),
    heap_size: String(heapSize),
    pageheap_unmapped: '0',
    pageheap_free: String(Math.max(0, heapSize - allocated)),
    total_thread_cache: '0',
    total_physical_bytes: String(physical),
  });
};

/** `/hot_restart_version`. */
export const hotRestartVersionPage: Page = () => text(hotRestartVersion);

/** `/certs`: `envoy.admin.v3.Certificates`. */
export const certsPage: Page = (_request, source) => json({ certificates: [...source.certificates()] });

/** `/init_dump`: what start-up still waits for. */
export const initDumpPage: Page = (_request, source) => {
  const targets = source.unreadyTargets().filter(({ targetNames }) => targetNames.length > 0);
  if (targets.length === 0) return json({});
  const dumps = targets.map(({ name, targetNames }) => ({ name, target_names: [...targetNames] }));
  return json({ unready_targets_dumps: dumps });
};
