import type { Clock } from '../../core/clock.ts';
import { formatAddress } from '../../core/peer.ts';
import type { EventJson, EventLines } from '../health/event-lines.ts';
import type { EjectionType } from './outlier-data.ts';
import type { OutlierHost } from './outlier-host.ts';
import type { SuccessRates } from './success-rate.ts';

/** `envoy.data.cluster.v3.OutlierEjectionType`. */
const typeNames: Readonly<Record<EjectionType | 'degraded', string>> = {
  consecutive_5xx: 'CONSECUTIVE_5XX',
  consecutive_gateway_failure: 'CONSECUTIVE_GATEWAY_FAILURE',
  success_rate: 'SUCCESS_RATE',
  consecutive_local_origin_failure: 'CONSECUTIVE_LOCAL_ORIGIN_FAILURE',
  local_origin_success_rate: 'SUCCESS_RATE_LOCAL_ORIGIN',
  failure_percentage: 'FAILURE_PERCENTAGE',
  local_origin_failure_percentage: 'FAILURE_PERCENTAGE_LOCAL_ORIGIN',
  degraded: 'DEGRADED',
};

/** `envoy.data.cluster.v3.OutlierDetectionEvent` in JSON, as Envoy prints it. */
export class OutlierEventLog {
  private readonly lines: EventLines;
  private readonly clock: Clock;

  constructor(lines: EventLines, clock: Clock) {
    this.lines = lines;
    this.clock = clock;
  }

  ejected(host: OutlierHost, type: EjectionType | 'degraded', isEnforced: boolean, rates: SuccessRates): void {
    const hostRate = type.startsWith('local_origin') ? host.localRate : host.externalRate;
    let event: EventJson = { eject_consecutive_event: {} };
    if (type.endsWith('success_rate'))
      event = {
        eject_success_rate_event: {
          host_success_rate: Math.trunc(hostRate),
          cluster_average_success_rate: Math.trunc(rates.average),
          cluster_success_rate_ejection_threshold: Math.trunc(rates.threshold),
        },
      };
    else if (type.endsWith('failure_percentage'))
      event = { eject_failure_percentage_event: { host_success_rate: Math.trunc(hostRate) } };
    this.write(host, type, host.unejectedMs, { action: 'EJECT' }, { enforced: isEnforced, ...event });
  }

  /** Of no type: Envoy leaves the field at its first value. */
  unejected(host: OutlierHost): void {
    this.write(host, 'consecutive_5xx', host.ejectedMs, { action: 'UNEJECT' }, { enforced: false });
  }

  private write(
    host: OutlierHost,
    type: EjectionType | 'degraded',
    lastMs: number,
    action: EventJson,
    rest: EventJson,
  ): void {
    if (this.lines.isSilent) return;
    const seconds = Math.floor((this.clock.now - lastMs) / 1000);
    this.lines.write({
      type: typeNames[type],
      timestamp: this.lines.timestamp,
      ...(!Number.isNaN(lastMs) && { secs_since_last_action: String(seconds) }),
      cluster_name: host.watched.cluster,
      upstream_url: formatAddress(host.watched.data.address),
      ...action,
      num_ejections: host.ejections,
      ...rest,
    });
  }
}
