import type { Host, PickContext, Tier } from '../cluster.ts';
import type { HostSet } from '../host/host-set.ts';
import type { UpstreamHost } from '../host/host.ts';
import type { Balancer } from './balancer.ts';
import type { LbData, OverrideLbData, OverrideSourceData } from './lb-data.ts';
import { metadataAt } from './metadata-path.ts';

/** Requests may name the hosts that they want, one for each try; the others are balanced as usual. */
export class OverrideBalancer implements Balancer {
  private readonly policy: OverrideLbData;
  private readonly inner: Balancer;
  /** By address. */
  private hosts: ReadonlyMap<string, UpstreamHost>;

  constructor(sets: readonly HostSet[], policy: OverrideLbData, inner: Balancer) {
    this.policy = policy;
    this.inner = inner;
    this.hosts = byAddress(sets);
  }

  update(sets: readonly HostSet[], lb?: LbData): void {
    this.hosts = byAddress(sets);
    // What the runtime says is in the new data.
    if (lb?.policy.kind === 'override-host') this.inner.update(sets, { ...lb, ...lb.policy.inner });
    else this.inner.update(sets);
  }

  stop(): void {
    this.inner.stop?.();
  }

  pick(context: PickContext, tier?: Tier): Host | null {
    const named = this.namedBy(context);
    const attempt = Math.max(1, context.outcome?.attemptCount ?? 1);
    for (let i = attempt - 1; i < named.length; i++) {
      const host = this.hosts.get(named[i].trim());
      if (host !== undefined) return host;
    }
    return this.inner.pick(context, tier);
  }

  /** Addresses, the most wanted first. */
  private namedBy(context: PickContext): readonly string[] {
    for (const source of this.policy.sources) {
      const text = textOf(source, context);
      if (text !== '') return text.split(',');
    }
    return [];
  }
}

function textOf(source: OverrideSourceData, { head, outcome }: PickContext): string {
  if (source.kind === 'header') return head?.get(source.name) ?? '';
  const value = metadataAt(outcome?.dynamicMetadata, source.path);
  return typeof value === 'string' ? value : '';
}

function byAddress(sets: readonly HostSet[]): Map<string, UpstreamHost> {
  return new Map(sets.flatMap(({ hosts }) => hosts.map((host) => [host.addressText, host] as const)));
}
