import type { HealthCheckData, HttpProbeData } from '../../../../src/cluster/health/health-check-data.ts';

export const httpProbe: HttpProbeData = {
  kind: 'http',
  host: '',
  path: '/healthz',
  method: 'GET',
  version: 'http1',
  expected: [{ start: 200, end: 201 }],
  retriable: [],
  send: null,
  receive: [],
  responseBytesMax: 1024,
  headers: null,
  serviceName: null,
};

/** A check each second, which may take half a second. */
export function checkData(change: Partial<HealthCheckData> = {}): HealthCheckData {
  return {
    timeoutMs: 500,
    intervalMs: 1000,
    initialJitterMs: 0,
    intervalJitterMs: 0,
    intervalJitterPercent: 0,
    unhealthyThreshold: 1,
    healthyThreshold: 1,
    reusesConnection: true,
    noTrafficMs: 60_000,
    noTrafficHealthyMs: 60_000,
    unhealthyMs: 1000,
    unhealthyEdgeMs: 1000,
    healthyEdgeMs: 1000,
    eventLogs: [],
    logsFailures: false,
    logsSuccesses: false,
    alpn: [],
    transport: null,
    ignoresHealthOnRemoval: false,
    ignoresNewHosts: false,
    probe: httpProbe,
    ...change,
  };
}
