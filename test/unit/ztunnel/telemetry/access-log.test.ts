import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ConnectionFacts } from '../../../../src/ztunnel/proxy/connection-facts.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { AccessLog } from '../../../../src/ztunnel/telemetry/access-log.ts';
import { LabelCache } from '../../../../src/ztunnel/telemetry/label-cache.ts';
import { LogLines } from '../../../../src/ztunnel/telemetry/log-lines.ts';
import { trafficLabels, TrafficMetrics } from '../../../../src/ztunnel/telemetry/traffic-metrics.ts';

const samples = join(import.meta.dirname, '../../../fixtures/ztunnel/samples');
const sample = (name: string): string[] => readFileSync(join(samples, name), 'utf8').split('\n');

const { workloads } = readLocalConfig(`
workloads:
- { uid: a, name: billing-0, namespace: shop, serviceAccount: billing, workloadIps: [10.9.2.1], protocol: HBONE, services: {}, workloadName: billing-0-dep, canonicalName: billing-0-app, canonicalRevision: v1, clusterId: Kubernetes }
- { uid: b, name: ledger-0, namespace: shop, serviceAccount: ledger, workloadIps: [10.9.3.1], protocol: HBONE, services: {}, workloadName: ledger-0-dep, canonicalName: ledger-0-app, canonicalRevision: v1, clusterId: Kubernetes, locality: { region: eu, zone: eu-a } }
`);

const facts: ConnectionFacts = {
  direction: 'outbound',
  source: workloads[0],
  sourceAddress: { kind: 'ip', host: '10.9.2.1', port: 52_900 },
  sourceIdentity: 'spiffe://cluster.local/ns/shop/sa/billing',
  destination: workloads[1],
  destinationAddress: { kind: 'ip', host: '10.9.3.1', port: 15_008 },
  destinationIdentity: 'spiffe://cluster.local/ns/shop/sa/ledger',
  hboneAddress: '10.9.3.1:15000',
  service: { hostname: 'ledger.shop.svc.cluster.local', namespace: 'shop', name: 'ledger' },
  originalDestination: null,
};

function line(isJson: boolean, write: (log: AccessLog) => void): string {
  let text = '';
  const lines = new LogLines(
    isJson,
    (more) => (text += more),
    () => Date.UTC(2026, 10, 21, 8, 45, 23, 30),
  );
  write(new AccessLog(lines));
  lines.flush();
  return text.trimEnd();
}

/** Without its time. */
const timeless = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'TIME');

test('a line of a connection that left is as ztunnel writes it', () => {
  const written = line(false, (log) => log.completed(facts, null, 4096, 12, 4.7));
  expect(timeless(written)).toBe(timeless(sample('access-log-source-plain.txt')[0]));
});

test('a line of one that came in and was denied, as JSON', () => {
  const inbound: ConnectionFacts = {
    ...facts,
    direction: 'inbound',
    sourceAddress: { kind: 'ip', host: '10.9.2.1', port: 52_310 },
  };
  const error = {
    text: 'connection closed due to policy rejection: allow policies exist, but none allowed',
    flags: 'DENY',
  } as const;
  const written = line(true, (log) => log.completed(inbound, error, 0, 0, 0));
  expect(timeless(written)).toBe(timeless(sample('access-log-destination-json.txt')[3]));
});

test('labels of a connection that left are those of ztunnel', () => {
  const metrics = new TrafficMetrics();
  metrics.of(trafficLabels(facts), '-').opened++;
  const [[labels]] = [...metrics.series];
  expect(sample('metrics-source-node.txt')).toContain(`istio_tcp_connections_opened_total{${labels}} 1`);
});

test('connections between the same two share their labels until one of the two changes', () => {
  const cache = new LabelCache();
  expect(cache.of({ ...facts })).toBe(cache.of({ ...facts, sourceAddress: { kind: 'ip', host: '10.9.2.1', port: 1 } }));
  const changed = { ...facts, source: { ...workloads[0], canonicalRevision: 'v2' } };
  expect(cache.of(changed).before).toContain('source_version="v2"');
  expect(cache.of({ ...facts, direction: 'inbound' }).before).toContain('reporter="destination"');
});
