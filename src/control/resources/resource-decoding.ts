import { decodeCluster, type ClusterSurroundings } from '../../cluster/decode.ts';
import type { ClusterData } from '../../cluster/cluster-data.ts';
import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import type { SecretSourceData } from '../../identity/secret-source-data.ts';
import { SecretSources } from '../../identity/secret-sources.ts';
import { decodeListener } from '../../listener/decode.ts';
import { ExtensionSources } from '../../listener/extension-sources.ts';
import type { InternalSupport } from '../../listener/internal-decode.ts';
import type { ListenerData } from '../../listener/listener-data.ts';
import type { Cluster } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { Listener } from '../../proto/envoy/config/listener/v3/listener_pb.js';
import type { StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import type { StringMatcher as XdsStringMatcher } from '../../proto/xds/type/matcher/v3/string_pb.js';
import { ScopeSources } from '../../proxy/http/scopes/scope-sources.ts';
import { RouteSources } from '../../proxy/http/route-sources.ts';
import { decodeHeaderMatcher, decodeStringMatcher } from '../../route/match/decode.ts';
import type { ListenerNeeds, NodeData } from '../bootstrap-data.ts';

/** A cluster, and what it needs besides. */
export interface DecodedCluster {
  readonly data: ClusterData;
  readonly secrets: readonly SecretSourceData[];
}

export interface DecodedListener {
  readonly data: ListenerData;
  readonly secrets: readonly SecretSourceData[];
  readonly needs: ListenerNeeds;
}

/** Envoy has a stream then that nothing ever comes over. */
export const noAds = 'there is no ads_config for it to come over';

/** Decodes clusters and listeners with what the bootstrap says around them, be they written there or discovered later. */
export class ResourceDecoding {
  readonly extensions: Extensions;
  readonly node: NodeData;
  /** There is an `ads_config`. */
  readonly hasAds: boolean;
  private readonly surroundings: ClusterSurroundings;
  private readonly internal: InternalSupport | null;

  /** `extensions`: of this configuration alone, with its secrets. `internal`: null where internal listeners are not asked for. */
  constructor(
    extensions: Extensions,
    node: NodeData,
    surroundings: ClusterSurroundings,
    internal: InternalSupport | null,
    hasAds: boolean,
  ) {
    this.extensions = extensions;
    this.node = node;
    this.surroundings = surroundings;
    this.internal = internal;
    this.hasAds = hasAds;
  }

  /** Null: reasons were added. */
  cluster(message: Cluster, reasons: Reasons): DecodedCluster | null {
    const data = decodeCluster(message, reasons, this.extensions, this.surroundings);
    const secrets = this.takeSecrets(reasons);
    return data === null ? null : { data, secrets };
  }

  /** Null: reasons were added. */
  listener(message: Listener, reasons: Reasons): DecodedListener | null {
    const { extensions, internal } = this;
    const data = decodeListener(message, reasons, extensions, decodeHeaderMatcher, decodeXdsString, internal);
    const secrets = this.takeSecrets(reasons);
    const needs = takeNeeds(extensions);
    return data === null ? null : { data, secrets, needs };
  }

  /** What of secrets the resource that has just been decoded needs. */
  private takeSecrets(reasons: Reasons): readonly SecretSourceData[] {
    const taken = SecretSources.of(this.extensions)?.take() ?? [];
    const isNamed = this.node.id !== '' && this.node.cluster !== '';
    // Envoy's words: control planes would not know whom they talk to.
    if (!isNamed && taken.some(({ from }) => from.kind === 'sds'))
      reasons.add(
        "SDS: node 'id' and 'cluster' are required. Set it either in 'node' config or via --service-node and --service-cluster options.",
      );
    if (!this.hasAds && taken.some(({ from }) => from.kind === 'sds' && from.source.from.kind === 'ads'))
      reasons.add(noAds);
    return taken;
  }
}

/** What of elsewhere that needs which has just been decoded. */
export function takeNeeds(extensions: Extensions): ListenerNeeds {
  return {
    routes: RouteSources.of(extensions)?.take() ?? [],
    scopes: ScopeSources.of(extensions)?.take() ?? [],
    extensions: ExtensionSources.of(extensions)?.take() ?? [],
  };
}

/** xDS has a string matcher of its own, whose fields are Envoy's. */
function decodeXdsString(message: XdsStringMatcher, reasons: Reasons): unknown {
  return decodeStringMatcher(message as unknown as StringMatcher, reasons);
}
