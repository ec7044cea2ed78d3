import { ResponseFlag } from '../../core/failure.ts';

/** Short and long names in the order in which Envoy prints them. Source: `source/common/stream_info/utility.h`. */
const NAMES: readonly (readonly [flag: number, short: string, long: string])[] = [
  [ResponseFlag.FailedLocalHealthCheck, 'LH', 'FailedLocalHealthCheck'],
  [ResponseFlag.NoHealthyUpstream, 'UH', 'NoHealthyUpstream'],
  [ResponseFlag.UpstreamRequestTimeout, 'UT', 'UpstreamRequestTimeout'],
  [ResponseFlag.LocalReset, 'LR', 'LocalReset'],
  [ResponseFlag.UpstreamRemoteReset, 'UR', 'UpstreamRemoteReset'],
  [ResponseFlag.UpstreamConnectionFailure, 'UF', 'UpstreamConnectionFailure'],
  [ResponseFlag.UpstreamConnectionTermination, 'UC', 'UpstreamConnectionTermination'],
  [ResponseFlag.UpstreamOverflow, 'UO', 'UpstreamOverflow'],
  [ResponseFlag.NoRouteFound, 'NR', 'NoRouteFound'],
  [ResponseFlag.DelayInjected, 'DI', 'DelayInjected'],
  [ResponseFlag.FaultInjected, 'FI', 'FaultInjected'],
  [ResponseFlag.RateLimited, 'RL', 'RateLimited'],
  [ResponseFlag.UnauthorizedExternalService, 'UAEX', 'UnauthorizedExternalService'],
  [ResponseFlag.RateLimitServiceError, 'RLSE', 'RateLimitServiceError'],
  [ResponseFlag.DownstreamConnectionTermination, 'DC', 'DownstreamConnectionTermination'],
  [ResponseFlag.UpstreamRetryLimitExceeded, 'URX', 'UpstreamRetryLimitExceeded'],
  [ResponseFlag.StreamIdleTimeout, 'SI', 'StreamIdleTimeout'],
  [ResponseFlag.InvalidEnvoyRequestHeaders, 'IH', 'InvalidEnvoyRequestHeaders'],
  [ResponseFlag.DownstreamProtocolError, 'DPE', 'DownstreamProtocolError'],
  [ResponseFlag.UpstreamMaxStreamDurationReached, 'UMSDR', 'UpstreamMaxStreamDurationReached'],
  [ResponseFlag.ResponseFromCacheFilter, 'RFCF', 'ResponseFromCacheFilter'],
  [ResponseFlag.NoFilterConfigFound, 'NFCF', 'NoFilterConfigFound'],
  [ResponseFlag.DurationTimeout, 'DT', 'DurationTimeout'],
  [ResponseFlag.UpstreamProtocolError, 'UPE', 'UpstreamProtocolError'],
  [ResponseFlag.NoClusterFound, 'NC', 'NoClusterFound'],
  [ResponseFlag.OverloadManagerTerminated, 'OM', 'OverloadManagerTerminated'],
  [ResponseFlag.DnsResolutionFailed, 'DF', 'DnsResolutionFailed'],
  [ResponseFlag.DropOverload, 'DO', 'DropOverload'],
  [ResponseFlag.DownstreamRemoteReset, 'DR', 'DownstreamRemoteReset'],
  [ResponseFlag.UnconditionalDropOverload, 'UDO', 'UnconditionalDropOverload'],
];

/**
 * `UF,URX`, or `-` where no flag is set. Envoy prints flags in the order in which they were set: an HTTP stream gives up
 * retrying (URX) before the last failure is on record, a TCP connection after.
 */
export function shortFlags(flags: number, isHttp = false): string {
  return flags === 0 ? '-' : namesOf(flags, 1, isHttp);
}

/** `UpstreamConnectionFailure,UpstreamRetryLimitExceeded`, or `-`. */
export function longFlags(flags: number, isHttp = false): string {
  return flags === 0 ? '-' : namesOf(flags, 2, isHttp);
}

/** The bit of a short name; 0: there is none of that name. */
export function flagOf(short: string): number {
  return NAMES.find((entry) => entry[1] === short)?.[0] ?? 0;
}

function namesOf(flags: number, column: 1 | 2, isHttp: boolean): string {
  const first = isHttp ? flags & ResponseFlag.UpstreamRetryLimitExceeded : 0;
  let text = first === 0 ? '' : NAMES.find((entry) => entry[0] === first)![column];
  for (const entry of NAMES) {
    if ((flags & entry[0] & ~first) === 0) continue;
    text = text === '' ? entry[column] : `${text},${entry[column]}`;
  }
  return text;
}
