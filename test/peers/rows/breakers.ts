import { cluster, tcp } from '../config.ts';
import type { Group } from '../row.ts';

/** A cluster behind tcp_proxy with one limit of 0. */
const limited = (threshold: string): Group => ({
  name: `breakers: TCP ${threshold}`,
  config: tcp('cluster: echo', [
    cluster('echo', ['echo'], `circuit_breakers: { thresholds: [{ ${threshold}: 0, track_remaining: true }] }`),
  ]),
  rows: [{ name: 'nobody gets through', raw: '', until: 'closed', answers: 0, logLines: 1, waitMs: 600 }],
});

export const breakers: readonly Group[] = ['max_connections', 'max_pending_requests', 'max_requests'].map(limited);
