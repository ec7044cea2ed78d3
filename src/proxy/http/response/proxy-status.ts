import { fieldValue } from '../../../core/field-value.ts';
import { ResponseFlag } from '../../../core/failure.ts';
import type { ResponseHead } from '../../../core/head.ts';
import { shortFlags } from '../../../observe/format/response-flag-names.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { ProxyStatusData } from '../hcm-data.ts';

interface ProxyError {
  readonly name: string;
  /** RFC 9209's recommended status; 0: none. */
  readonly status: number;
}

const error = (name: string, status: number): ProxyError => ({ name, status });
const destinationUnavailable = error('destination_unavailable', 503);
const responseTimeout = error('http_response_timeout', 504);
const connectionTimeout = error('connection_timeout', 504);
const terminated = error('connection_terminated', 502);
const refused = error('connection_refused', 502);
const limitReached = error('connection_limit_reached', 503);
const requestError = error('http_request_error', 0);

/** The first flag that is set decides. Source: Envoy `ProxyStatusUtils::fromStreamInfo`. */
const errors: readonly (readonly [number, ProxyError])[] = [
  [ResponseFlag.FailedLocalHealthCheck, destinationUnavailable],
  [ResponseFlag.NoHealthyUpstream, destinationUnavailable],
  [ResponseFlag.UpstreamRequestTimeout, responseTimeout],
  [ResponseFlag.DurationTimeout, connectionTimeout],
  [ResponseFlag.LocalReset, connectionTimeout],
  [ResponseFlag.UpstreamRemoteReset, terminated],
  [ResponseFlag.UpstreamConnectionFailure, refused],
  [ResponseFlag.UnauthorizedExternalService, refused],
  [ResponseFlag.UpstreamConnectionTermination, terminated],
  [ResponseFlag.OverloadManagerTerminated, limitReached],
  [ResponseFlag.DropOverload, limitReached],
  [ResponseFlag.FaultInjected, requestError],
  [ResponseFlag.DownstreamConnectionTermination, terminated],
  [ResponseFlag.DownstreamRemoteReset, terminated],
  [ResponseFlag.UpstreamOverflow, limitReached],
  [ResponseFlag.NoRouteFound, error('destination_not_found', 500)],
  [ResponseFlag.RateLimited, limitReached],
  [ResponseFlag.RateLimitServiceError, limitReached],
  [ResponseFlag.UpstreamRetryLimitExceeded, destinationUnavailable],
  [ResponseFlag.StreamIdleTimeout, responseTimeout],
  [ResponseFlag.InvalidEnvoyRequestHeaders, requestError],
  [ResponseFlag.DownstreamProtocolError, requestError],
  [ResponseFlag.UpstreamMaxStreamDurationReached, responseTimeout],
  [ResponseFlag.NoFilterConfigFound, error('proxy_configuration_error', 500)],
  [ResponseFlag.UpstreamProtocolError, error('http_protocol_error', 502)],
  [ResponseFlag.NoClusterFound, destinationUnavailable],
  [ResponseFlag.DnsResolutionFailed, error('dns_error', 502)],
];

/** `proxy_status_config`: the Proxy-Status header of RFC 9209 on responses that something went wrong with. */
export class ProxyStatus {
  private readonly data: ProxyStatusData;
  private readonly name: string;

  constructor(data: ProxyStatusData, serverName: string, nodeId: string) {
    this.data = data;
    this.name = data.name ?? (data.useNodeId ? nodeId : serverName);
  }

  apply(head: ResponseHead, outcome: Outcome): void {
    if (outcome.flags === 0) return;
    const found = errors.find(([flag]) => (outcome.flags & flag) !== 0)?.[1];
    if (found === undefined) return;
    const value = fieldValue(`${this.name}; error=${found.name}${this.details(outcome)}`);
    const before = head.headers.get('proxy-status');
    head.headers.set('proxy-status', before === undefined ? value : `${before}, ${value}`);
    if (this.data.setRecommendedResponseCode && found.status !== 0) head.status = found.status;
  }

  private details(outcome: Outcome): string {
    if (this.data.removeDetails || outcome.details === '') return '';
    const parts = [outcome.details];
    if (!this.data.removeConnectionTerminationDetails && outcome.connectionTerminationDetails !== '')
      parts.push(outcome.connectionTerminationDetails);
    if (!this.data.removeResponseFlags) parts.push(shortFlags(outcome.flags, true));
    return `; details="${parts.join('; ').replace(/["\\]/g, '\\$&')}"`;
  }
}
