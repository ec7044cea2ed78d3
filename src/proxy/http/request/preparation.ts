import type { RequestHead } from '../../../core/head.ts';
import type { Peer } from '../../../core/peer.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { StatsScope } from '../../../observe/stats.ts';
import type { HcmData } from '../hcm-data.ts';
import type { Reject } from './reject.ts';

/** What a connection manager knows of the process it runs in. */
export interface PreparationContext {
  /** `http.<stat_prefix>`. */
  readonly stats: StatsScope;
  readonly localNode: { readonly cluster: string; readonly id: string };
  /** The machine's first address that is not loopback: Envoy appends it to x-forwarded-for for a loopback peer. */
  readonly localAddress: string;
}

/**
 * Everything between the codec and the route table: what Envoy checks and rewrites in a request's head.
 * Built once per connection manager.
 */
export class RequestPreparation {
  constructor(_data: HcmData, _context: PreparationContext) {}

  /** Rewrites `head` in place and fills `outcome.remoteAddress` and `isInternal`; or says why not. */
  prepare(_head: RequestHead, _peer: Peer, _outcome: Outcome): Reject | null {
    return null;
  }
}
