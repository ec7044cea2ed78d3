import type { Address } from '../../core/peer.ts';
import type { ProbeData } from './health-check-data.ts';
import type { EventJson, EventLines } from './event-lines.ts';
import type { FailureType } from './probe/probe.ts';
import type { WatchedHost } from './watched-host.ts';

const checkerTypes = { http: 'HTTP', tcp: 'TCP', grpc: 'GRPC' } as const;

/** `envoy.data.core.v3.HealthCheckEvent` in JSON: fields in the order of their numbers, as Envoy prints them. */
export class HealthEventLog {
  private readonly lines: EventLines;
  private readonly checker: string;

  constructor(lines: EventLines, kind: ProbeData['kind']) {
    this.lines = lines;
    this.checker = checkerTypes[kind];
  }

  ejected(host: WatchedHost, type: FailureType, status: number): void {
    this.write(host, { eject_unhealthy_event: { failure_type: type, http_status_code: status } }, {});
  }

  added(host: WatchedHost, isFirst: boolean): void {
    this.write(host, { add_healthy_event: { first_check: isFirst } }, {});
  }

  failed(host: WatchedHost, type: FailureType, isFirst: boolean, status: number): void {
    const event = { failure_type: type, first_check: isFirst, http_status_code: status };
    this.write(host, {}, { health_check_failure_event: event });
  }

  degraded(host: WatchedHost): void {
    this.write(host, {}, { degraded_healthy_host: {} });
  }

  noLongerDegraded(host: WatchedHost): void {
    this.write(host, {}, { no_longer_degraded_host: {} });
  }

  succeeded(host: WatchedHost): void {
    this.write(host, {}, {}, { successful_health_check_event: {} });
  }

  /** `early` events have numbers below the timestamp's, `middle` ones below the metadata's, `late` ones above. */
  private write(host: WatchedHost, early: EventJson, middle: EventJson, late: EventJson = {}): void {
    if (this.lines.isSilent) return;
    const { address, metadata, locality } = host.data;
    const { region, zone, subZone } = locality;
    this.lines.write({
      health_checker_type: this.checker,
      host: addressEvent(address),
      cluster_name: host.cluster,
      ...early,
      timestamp: this.lines.timestamp,
      ...middle,
      ...(metadata !== null && { metadata: { filter_metadata: metadata, typed_filter_metadata: {} } }),
      locality: { region, zone, sub_zone: subZone },
      ...late,
    });
  }
}

function addressEvent({ kind, host, port }: Address): EventJson {
  if (kind === 'pipe') return { pipe: { path: host, mode: 0 } };
  return {
    socket_address: {
      protocol: 'TCP',
      address: host,
      port_value: port,
      resolver_name: '',
      ipv4_compat: false,
      network_namespace_filepath: '',
    },
  };
}
