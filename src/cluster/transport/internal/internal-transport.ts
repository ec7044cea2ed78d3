import type { Address } from '../../../core/peer.ts';
import type { DialHandler, Dialing, DialOptions } from '../../../net/network.ts';
import type { TransportOptions, UpstreamTransport } from '../../../net/transport.ts';
import { SharedText } from '../../../observe/filter-state.ts';
import type { Counter } from '../../../observe/stats/stats.ts';
import type { InternalSocketData } from '../transport-data.ts';

type Metadata = Readonly<Record<string, unknown>> | null;

/** Tells the internal listener at the other end what it may know: metadata of host and cluster, shared filter state. */
export class InternalTransport implements UpstreamTransport {
  readonly isSecure: boolean;
  readonly passesState: boolean;
  private readonly passed: InternalSocketData['passed'];
  private readonly inner: UpstreamTransport;
  private readonly clusterMetadata: Metadata;
  private readonly noMetadata: Counter;

  /** `noMetadata`: counts what should be passed and is not there. */
  constructor(data: InternalSocketData, inner: UpstreamTransport, clusterMetadata: Metadata, noMetadata: Counter) {
    this.isSecure = inner.isSecure;
    this.passesState = true;
    this.passed = data.passed;
    this.inner = inner;
    this.clusterMetadata = clusterMetadata;
    this.noMetadata = noMetadata;
  }

  dial(address: Address, options: DialOptions, wanted: TransportOptions, handler: DialHandler): Dialing {
    const metadata = this.metadataOf(wanted.hostMetadata ?? null);
    const filterState = wanted.sharedState === undefined ? null : stateBehind(wanted.sharedState);
    return this.inner.dial(address, { ...options, passed: { metadata, filterState } }, wanted, handler);
  }

  release(): void {
    this.inner.release?.();
  }

  private metadataOf(host: Metadata): ReadonlyMap<string, unknown> | null {
    const found = new Map<string, unknown>();
    for (const { of, name } of this.passed) {
      const from = of === 'host' ? host : this.clusterMetadata;
      if (from !== null && Object.hasOwn(from, name)) found.set(name, from[name]);
      else this.noMetadata.inc();
    }
    return found.size === 0 ? null : found;
  }
}

/** What is shared once is the listener's own from there on. */
function stateBehind(shared: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const state = new Map<string, unknown>();
  for (const [key, value] of shared)
    state.set(key, value instanceof SharedText && !value.isTransitive ? value.alone() : value);
  return state;
}
