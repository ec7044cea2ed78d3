import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect } from 'vitest';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { istioStatsDecoder } from '../../../../../src/filter/istio/stats/decode.ts';
import type { IstioStatsData } from '../../../../../src/filter/istio/stats/istio-stats-data.ts';
import { loadExpressions } from '../../../../../src/observe/expression/expressions.ts';
import { renderPrometheus } from '../../../../../src/observe/render/prometheus.ts';
import { DEFAULT_STATS_CONFIG } from '../../../../../src/observe/stats/stats-data.ts';
import { StatsStore } from '../../../../../src/observe/stats/stats-store.ts';
import { TagExtraction } from '../../../../../src/observe/stats/tag-extraction.ts';
import { WorkerStats } from '../../../../../src/observe/stats/worker-stats.ts';
import { PluginConfigSchema } from '../../../../../src/proto/istio/stats_pb.js';

export const node = {
  id: 'sidecar~10.0.0.2~reviews-v1-abc.default~default.svc.cluster.local',
  cluster: 'reviews.default',
  locality: { region: '', zone: '', subZone: '' },
  metadata: {
    WORKLOAD_NAME: 'reviews-v1',
    NAMESPACE: 'default',
    CLUSTER_ID: 'Kubernetes',
    ISTIO_VERSION: '1.29.6',
    PLATFORM: 'p',
    LABELS: {
      app: 'reviews',
      'app.kubernetes.io/name': 'not told in metrics',
      version: 'v1',
      'service.istio.io/canonical-name': 'reviews',
      'service.istio.io/canonical-revision': 'v1',
    },
  },
};

await loadExpressions(node);

/** `stats.PluginConfig` as a worker has it. */
export function statsData(fields: MessageInitShape<typeof PluginConfigSchema> = {}): IstioStatsData {
  const reasons = new Reasons();
  const bytes = toBinary(PluginConfigSchema, create(PluginConfigSchema, fields));
  const data = istioStatsDecoder.decode(bytes, reasons, { open: () => null });
  expect(reasons.list).toEqual([]);
  return structuredClone(data) as IstioStatsData;
}

/** The stats of one worker, as Prometheus gets them. */
export class Page {
  readonly worker: WorkerStats;
  private readonly store: StatsStore;

  constructor() {
    const store = new StatsStore();
    this.store = store;
    this.worker = new WorkerStats((batch) => store.receive('worker_0', batch));
  }

  /** Lines of the metrics whose names begin so. */
  async lines(prefix: string): Promise<string[]> {
    this.worker.flush();
    this.store.flush();
    const page = await renderPrometheus(this.store.snapshot(), new TagExtraction(DEFAULT_STATS_CONFIG));
    return page
      .join('')
      .split('\n')
      .filter((line) => line.startsWith(prefix));
  }
}
