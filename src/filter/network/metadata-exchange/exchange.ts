import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import { ownWorkload, type NodeOfWorkload } from '../../istio/workload/own-workload.ts';
import type { WorkloadLookup } from '../../istio/workload/workload-lookup.ts';
import { noPeerKey, type Workload } from '../../istio/workload/workload.ts';
import type { UpstreamFilterTools } from '../network-filter.ts';
import { FrameState, writeFrame, type FrameReader } from './frame.ts';
import type { MetadataExchangeData } from './metadata-exchange-data.ts';

/** One metadata exchange configuration in one worker, for clients' connections or for those to upstreams. */
export class Exchange {
  readonly protocol: string;
  /** Null: a peer that tells nothing is nobody. */
  readonly lookup: WorkloadLookup | null;
  readonly moreLabels: ReadonlySet<string>;
  private readonly frame: Uint8Array;
  private readonly scope: StatsScope;
  private readonly found: Counter;
  private readonly notFound: Counter;
  private readonly added: Counter;

  constructor(data: MetadataExchangeData, { stats, node, workloads }: UpstreamFilterTools) {
    const scope = stats.scope('metadata_exchange');
    // As Istio: where it is, is told by HTTP alone.
    const own: NodeOfWorkload = { metadata: node?.metadata };
    this.protocol = data.protocol;
    this.lookup = data.looksUp ? (workloads ?? null) : null;
    this.moreLabels = new Set(data.additionalLabels);
    this.frame = writeFrame(node?.id ?? '', ownWorkload(own, data.additionalLabels));
    this.scope = scope;
    this.found = scope.counter('alpn_protocol_found');
    this.notFound = scope.counter('alpn_protocol_not_found');
    this.added = scope.counter('metadata_added');
  }

  /** Both ends have agreed to exchange metadata. */
  isAgreed(alpn: string): boolean {
    const isAgreed = alpn === this.protocol;
    (isAgreed ? this.found : this.notFound).inc();
    return isAgreed;
  }

  /** What is sent first. */
  takeFrame(): Uint8Array {
    this.added.inc();
    return this.frame.slice();
  }

  /** What has come so far is not all of it, or was none. */
  countMissing(reader: FrameReader): void {
    if (reader.state === FrameState.Initial || reader.state === FrameState.NoMagic)
      this.scope.counter('initial_header_not_found').inc();
    else if (reader.state === FrameState.Malformed) this.scope.counter('header_not_found').inc();
  }

  /** Sets what is known of the peer; `looked`: who is at its address; null: nobody knows. */
  note(state: Map<string, unknown>, key: string, told: Workload | null, looked: Workload | null): void {
    if (told !== null) told.setIn(state, key, false);
    else if (looked !== null) {
      looked.setIn(state, key, false);
      this.added.inc();
    } else state.set(noPeerKey, true);
  }
}
