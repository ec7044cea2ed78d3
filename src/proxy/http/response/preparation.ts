import type { Clock } from '../../../core/clock.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { HcmData } from '../hcm-data.ts';

/** What Envoy adds to and takes from every response's head on its way to the client. Built once per connection manager. */
export class ResponsePreparation {
  constructor(_data: HcmData, _clock: Clock, _nodeId: string) {}

  /** For every final head, the upstream's and local replies alike. `request` is null where none was decoded. */
  prepare(_head: ResponseHead, _request: RequestHead | null, _outcome: Outcome): void {}

  /** For 100, 102, 103: hop-by-hop fields go, nothing is added. */
  prepareInformational(_head: ResponseHead, _request: RequestHead): void {}
}

/** `x-envoy-upstream-service-time`, in whole milliseconds; the router adds it unless suppress_envoy_headers. */
export function addUpstreamServiceTime(_head: ResponseHead, _elapsedMs: number): void {}
