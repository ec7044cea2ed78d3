import type { FilterBuilder } from '../../filter.ts';
import type { IstioStatsData } from './istio-stats-data.ts';
import { RequestStats } from './request-stats.ts';
import { Telemetry } from './telemetry.ts';

export const istioStatsBuilder: FilterBuilder = {
  kind: 'stats.PluginConfig',
  build(data, { localNode, rootStats, stats, trafficDirection = 'UNSPECIFIED' }) {
    return new RequestStats(new Telemetry(data as IstioStatsData, trafficDirection, localNode, rootStats ?? stats));
  },
};
