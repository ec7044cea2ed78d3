import { runtimeInteger, type RuntimeView } from '../../core/runtime-view.ts';
import type { LbData } from '../cluster-data.ts';

/** Balancing as configured, with what the runtime says instead now: the same object where that is nothing. */
export function runtimeLb(data: LbData, runtime: RuntimeView): LbData {
  // Envoy's documented percentages end at 100, and so does the effect of larger ones.
  const panicThreshold = Math.min(
    100,
    runtimeInteger(runtime, 'upstream.healthy_panic_threshold', data.panicThreshold),
  );
  const { policy } = data;
  if (policy.kind !== 'least-request' || policy.activeRequestBiasKey === '')
    return panicThreshold === data.panicThreshold ? data : { ...data, panicThreshold };
  const bias = runtime.number(policy.activeRequestBiasKey, policy.activeRequestBias);
  // Envoy warns of a negative bias and takes the default.
  return { ...data, panicThreshold, policy: { ...policy, activeRequestBias: bias < 0 ? 1 : bias } };
}
