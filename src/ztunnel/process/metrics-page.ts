import { readdirSync, readFileSync } from 'node:fs';
import type { ThreadReport } from '../thread/thread-messages.ts';
import type { TrafficCounts } from '../telemetry/traffic-metrics.ts';

/** What the main thread counts itself. */
export class ProcessCounts {
  /** By type URL. */
  readonly xdsMessages: Map<string, number>;
  readonly xdsBytes: Map<string, number>;
  /** By reason: ConnectionError, Error, Reconnect, Complete. */
  readonly xdsTerminations: Map<string, number>;
  activeProxies: number;
  pendingProxies: number;
  startedProxies: number;
  stoppedProxies: number;

  constructor() {
    this.xdsMessages = new Map();
    this.xdsBytes = new Map();
    this.xdsTerminations = new Map();
    this.activeProxies = 0;
    this.pendingProxies = 0;
    this.startedProxies = 0;
    this.stoppedProxies = 0;
  }

  static add(counts: Map<string, number>, key: string, count: number): void {
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
}

const unstable = ' (unstable)';

/** Text of a Prometheus page. A family without samples is left out, as ztunnel does. */
export function metricsPage(counts: ProcessCounts, reports: readonly ThreadReport[]): string {
  const page = new Page();
  processFamilies(page);
  page.family('istio_build', 'gauge', 'Istio component build info.', [['component="ztunnel",tag="unknown"', 1]]);
  const urls = (map: ReadonlyMap<string, number>): Sample[] => [...map].map(([url, n]) => [`url="${url}"`, n]);
  const messages = `Total number of messages received${unstable}.`;
  page.family('istio_xds_message', 'counter', messages, urls(counts.xdsMessages));
  const bytes = `Total number of bytes received${unstable}.`;
  page.family('istio_xds_message_bytes', 'counter', bytes, urls(counts.xdsBytes), 'bytes');
  const ended = `The total number of completed connections to xds server${unstable}.`;
  const reasons: Sample[] = [...counts.xdsTerminations].map(([reason, n]) => [`reason="${reason}"`, n]);
  page.family('istio_xds_connection_terminations', 'counter', ended, reasons);
  trafficFamilies(page, reports);
  proxyFamilies(page, counts);
  return page.text;
}

type Sample = readonly [labels: string, value: number];

class Page {
  text: string;

  constructor() {
    this.text = '';
  }

  family(name: string, kind: 'counter' | 'gauge', help: string, samples: readonly Sample[], unit = ''): void {
    if (samples.length === 0) return;
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
    if (unit !== '') this.text += `# UNIT ${name} ${unit}\n`;
    const suffix = kind === 'counter' ? '_total' : '';
    for (const [labels, value] of samples)
      this.text += `${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
  }
}

function trafficFamilies(page: Page, reports: readonly ThreadReport[]): void {
  const sums = new Map<string, TrafficCounts>();
  for (const { series } of reports) {
    for (const [labels, counts] of series) {
      const sum = sums.get(labels);
      if (sum === undefined) sums.set(labels, { ...counts });
      else for (const key of Object.keys(sum) as (keyof TrafficCounts)[]) sum[key] += counts[key];
    }
  }
  const of = (key: keyof TrafficCounts): Sample[] =>
    [...sums].filter(([, counts]) => counts[key] > 0).map(([labels, counts]) => [labels, counts[key]]);
  const opened = [...sums].filter(([, counts]) => counts.opened > 0);
  const bytesOf = (key: 'receivedBytes' | 'sentBytes'): Sample[] =>
    opened.map(([labels, counts]) => [labels, counts[key]]);
  const failed = `The total number of TCP connections that failed to establish${unstable}.`;
  page.family('istio_tcp_connections_opened', 'counter', 'The total number of TCP connections opened.', of('opened'));
  page.family('istio_tcp_connections_closed', 'counter', 'The total number of TCP connections closed.', of('closed'));
  page.family(
    'istio_tcp_received_bytes',
    'counter',
    'The size of total bytes received during request in case of a TCP connection.',
    bytesOf('receivedBytes'),
  );
  page.family(
    'istio_tcp_sent_bytes',
    'counter',
    'The size of total bytes sent during response in case of a TCP connection.',
    bytesOf('sentBytes'),
  );
  page.family('istio_tcp_connections_failed', 'counter', failed, of('failed'));
  const open = (key: 'openSource' | 'openDestination'): number => reports.reduce((sum, report) => sum + report[key], 0);
  page.family('istio_tcp_sockets_open', 'gauge', `The current number of open TCP sockets${unstable}.`, [
    ['reporter="source"', open('openSource')],
    ['reporter="destination"', open('openDestination')],
  ]);
}

function proxyFamilies(page: Page, counts: ProcessCounts): void {
  const total = 'The total number';
  page.family(
    'workload_manager_active_proxy_count',
    'gauge',
    `${total} current workloads with active proxies${unstable}.`,
    [['', counts.activeProxies]],
  );
  page.family(
    'workload_manager_pending_proxy_count',
    'gauge',
    `${total} current workloads with pending proxies${unstable}.`,
    [['', counts.pendingProxies]],
  );
  const started = `${total} of proxies that were started${unstable}.`;
  page.family('workload_manager_proxies_started', 'counter', started, [['', counts.startedProxies]]);
  const stopped = `${total} of proxies that were stopped${unstable}.`;
  page.family('workload_manager_proxies_stopped', 'counter', stopped, [['', counts.stoppedProxies]]);
}

function processFamilies(page: Page): void {
  page.family('process_open_fds', 'gauge', 'Number of open file descriptors', [['', openDescriptors()]]);
  page.family('process_max_fds', 'gauge', 'Maximum number of file descriptors', [['', descriptorsMax()]]);
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

function descriptorsMax(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
