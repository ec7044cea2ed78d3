import { NoHealthyUpstream } from '../../core/failures.ts';
import type { HttpPool } from '../cluster.ts';

/** What a host has for who comes when `max_connection_pools` allows no pool: whoever asks it hears that no host is fit, as with Envoy. */
export const noPool: HttpPool = {
  newStream(waiter) {
    waiter.onPoolFailure(NoHealthyUpstream, null);
  },
  cancel() {},
};
