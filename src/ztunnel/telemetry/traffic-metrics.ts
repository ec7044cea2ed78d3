import type { ConnectionFacts, ResponseFlags } from '../proxy/connection-facts.ts';
import { identityOf, type Workload } from '../state/workload.ts';

/** What is counted of connections that have the same labels. */
export interface TrafficCounts {
  opened: number;
  closed: number;
  failed: number;
  receivedBytes: number;
  sentBytes: number;
}

/** Labels without flags, and the two parts that flags stand between: they are told only at the end. */
export interface TrafficLabels {
  readonly before: string;
  readonly after: string;
}

/** Series of labels that a thread keeps; what goes beyond is counted under the labels of nobody. */
const seriesMax = 50_000;

/** Counters of one thread, by their labels as text. */
export class TrafficMetrics {
  readonly series: Map<string, TrafficCounts>;
  /** Sockets that are open now, by reporter. */
  openSource: number;
  openDestination: number;

  constructor() {
    this.series = new Map();
    this.openSource = 0;
    this.openDestination = 0;
  }

  of(labels: TrafficLabels, flags: ResponseFlags): TrafficCounts {
    const key = `${labels.before}response_flags="${flags}",${labels.after}`;
    let counts = this.series.get(key);
    if (counts === undefined) {
      if (this.series.size >= seriesMax) return this.overflow;
      counts = { opened: 0, closed: 0, failed: 0, receivedBytes: 0, sentBytes: 0 };
      this.series.set(key, counts);
    }
    return counts;
  }

  private get overflow(): TrafficCounts {
    const key = 'reporter="unknown"';
    const known = this.series.get(key) ?? { opened: 0, closed: 0, failed: 0, receivedBytes: 0, sentBytes: 0 };
    this.series.set(key, known);
    return known;
  }
}

/** As ztunnel writes them, in its order. */
export function trafficLabels(facts: ConnectionFacts): TrafficLabels {
  const { source, destination, service, sourceIdentity, destinationIdentity } = facts;
  const isSource = facts.direction === 'outbound';
  // A destination that has proved nothing has the identity that it is said to have; a source has none.
  const principal = destinationIdentity || (destination === null ? '' : identityOf(destination));
  const before = [
    ['reporter', isSource ? 'source' : 'destination'],
    ...sideLabels('source', source, sourceIdentity),
    ['destination_service', service?.hostname],
    ['destination_service_namespace', service?.namespace],
    ['destination_service_name', service?.name],
    ...sideLabels('destination', destination, principal),
    ['request_protocol', 'tcp'],
  ] as const;
  const isMutual = facts.hboneAddress !== '' && sourceIdentity !== '';
  const after = [
    ['connection_security_policy', isMutual ? 'mutual_tls' : 'unknown'],
    ['source_region', source?.locality.region],
    ['source_zone', source?.locality.zone],
    ['destination_region', destination?.locality.region],
    ['destination_zone', destination?.locality.zone],
  ] as const;
  return { before: `${textOf(before)},`, after: textOf(after) };
}

type Label = readonly [name: string, value: string | undefined];

function sideLabels(side: 'source' | 'destination', workload: Workload | null, principal: string): Label[] {
  return [
    [`${side}_workload`, workload?.workloadName],
    [`${side}_canonical_service`, workload?.canonicalName],
    [`${side}_canonical_revision`, workload?.canonicalRevision],
    [`${side}_workload_namespace`, workload?.namespace],
    [`${side}_principal`, principal],
    [`${side}_app`, workload?.canonicalName],
    [`${side}_version`, workload?.canonicalRevision],
    [`${side}_cluster`, workload?.clusterId],
  ];
}

function textOf(labels: readonly Label[]): string {
  return labels.map(([name, value]) => `${name}="${escaped(value || 'unknown')}"`).join(',');
}

function escaped(value: string): string {
  return /["\\\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}
