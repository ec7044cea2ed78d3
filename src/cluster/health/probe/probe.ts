import type { Clock, Timers } from '../../../core/clock.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { DialHandler, Dialing } from '../../../net/network.ts';
import type { ClientCodecs } from '../../protocol/client-codecs.ts';

/** `envoy.data.core.v3.HealthCheckFailureType`. */
export type FailureType = 'ACTIVE' | 'PASSIVE' | 'NETWORK' | 'NETWORK_TIMEOUT';

/** Who wanted to know. */
export interface ProbeUser {
  onPassed(isDegraded: boolean): void;
  /** `isRetriable`: once is not enough; `status`: of HTTP, 0: there was none. */
  onFailed(type: 'ACTIVE' | 'NETWORK', isRetriable: boolean, status: number): void;
  /** Besides a failure: the host asks to be left out of all counts. */
  onExcluded(): void;
}

/** How one host is asked. */
export interface Probe {
  /** Asks; one call on the user follows, unless `abort` or `close` comes before it. */
  begin(): void;
  /** It took too long. */
  abort(): void;
  /** Nobody wants to know any more. */
  close(): void;
}

/** What a probe knows of its host. */
export interface ProbePlace {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly codecs: ClientCodecs;
  /** The host's own name for checks, or the cluster's, where the check names none. */
  authority(configured: string): string;
  readonly isSecure: boolean;
  readonly reusesConnection: boolean;
  /** `health_check.verify_cluster` of the runtime, drawn anew with every call. */
  verifiesCluster(): boolean;
  dial(handler: DialHandler): Dialing;
}

/** What of a configuration other rooms decode and build. */
export interface ProbeWords {
  /** `request_headers_to_*`, `initial_metadata`: changes a head. Null: nothing to do. */
  headers(data: unknown): ((head: RequestHead) => void) | null;
  string(data: unknown): (text: string) => boolean;
}
