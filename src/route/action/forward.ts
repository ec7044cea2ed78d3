import type { RequestHead } from '../../core/head.ts';
import { MetadataCriteria } from '../../core/metadata-criteria.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { HashPolicy } from '../hash/hash-policy.ts';
import { rewriteAuthority } from '../mutate/authority.ts';
import { applyAll, type MutationLevels } from '../mutate/header-mutations.ts';
import type { HostRewrite } from '../mutate/host-rewrite.ts';
import { replacePath, type PathRewrite } from '../mutate/path-rewrite.ts';
import type { RateLimits } from '../rate-limit/rate-limits.ts';
import { ConfiguredRedirects } from '../redirect/internal-redirects.ts';
import type { ConnectData, ForwardData, VirtualHostData } from '../route-data.ts';
import type { ClusterChoice, ForwardAction, InternalRedirectPolicy, Mirror, RetryPolicy } from '../route.ts';
import type { ClusterSpecifier } from './cluster-specifier.ts';

/** The built parts of a forwarding route. */
export interface ForwardParts {
  readonly specifier: ClusterSpecifier;
  readonly retry: RetryPolicy | null;
  readonly levels: MutationLevels;
  readonly hostRewrite: HostRewrite | null;
  readonly pathRewrite: PathRewrite | null;
  readonly hashPolicy: HashPolicy | null;
  readonly mirrors: readonly Mirror[];
  readonly rateLimits: RateLimits | null;
}

const noUpgrades: ReadonlyMap<string, boolean> = new Map();

export class Forward implements ForwardAction {
  readonly kind: 'forward';
  readonly clusterNotFoundStatus: number;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly flushTimeoutMs: number;
  readonly maxStreamDurationMs: number;
  readonly grpcTimeoutHeaderMaxMs: number;
  readonly grpcTimeoutHeaderOffsetMs: number;
  readonly maxGrpcTimeoutMs: number;
  readonly grpcTimeoutOffsetMs: number;
  readonly retry: RetryPolicy | null;
  readonly hedgesOnPerTryTimeout: boolean;
  readonly priority: 0 | 1;
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly includeIsTimeoutRetry: boolean;
  readonly autoHostRewrite: boolean;
  readonly appendXForwardedHost: boolean;
  readonly requestBufferLimit: number;
  readonly upgrades: ReadonlyMap<string, boolean>;
  readonly connect: ConnectData | null;
  readonly hashPolicy: HashPolicy | null;
  readonly metadataMatch: MetadataCriteria | null;
  readonly mirrors: readonly Mirror[];
  readonly redirects: InternalRedirectPolicy | null;
  readonly rateLimits: RateLimits | null;
  private readonly specifier: ClusterSpecifier;
  private readonly levels: MutationLevels;
  private readonly hostRewrite: HostRewrite | null;
  private readonly pathRewrite: PathRewrite | null;

  constructor(data: ForwardData, virtualHost: VirtualHostData, parts: ForwardParts) {
    const { timeouts } = data;
    this.kind = 'forward';
    this.clusterNotFoundStatus = data.clusterNotFoundStatus;
    this.timeoutMs = timeouts.timeoutMs;
    this.idleTimeoutMs = timeouts.idleTimeoutMs;
    this.flushTimeoutMs = timeouts.flushTimeoutMs;
    this.maxStreamDurationMs = timeouts.maxStreamDurationMs;
    this.grpcTimeoutHeaderMaxMs = timeouts.grpcTimeoutHeaderMaxMs;
    this.grpcTimeoutHeaderOffsetMs = timeouts.grpcTimeoutHeaderOffsetMs;
    this.maxGrpcTimeoutMs = timeouts.maxGrpcTimeoutMs;
    this.grpcTimeoutOffsetMs = timeouts.grpcTimeoutOffsetMs;
    this.retry = parts.retry;
    this.hedgesOnPerTryTimeout = data.hedgesOnPerTryTimeout === true;
    this.priority = data.priority;
    this.includeAttemptCount = virtualHost.includeAttemptCount;
    this.includeAttemptCountInResponse = virtualHost.includeAttemptCountInResponse;
    this.includeIsTimeoutRetry = virtualHost.includeIsTimeoutRetry ?? false;
    this.autoHostRewrite = data.autoHostRewrite;
    this.appendXForwardedHost = data.appendXForwardedHost;
    this.requestBufferLimit = data.requestBufferLimit;
    this.upgrades = data.upgrades === null ? noUpgrades : new Map(data.upgrades.allowed);
    this.connect = data.upgrades === null ? null : data.upgrades.connect;
    this.hashPolicy = parts.hashPolicy;
    this.metadataMatch = data.metadataMatch === null ? null : new MetadataCriteria(data.metadataMatch);
    this.mirrors = parts.mirrors;
    this.rateLimits = parts.rateLimits;
    const { redirects = null } = data;
    this.redirects = redirects === null ? null : new ConfiguredRedirects(redirects);
    this.specifier = parts.specifier;
    this.levels = parts.levels;
    this.hostRewrite = parts.hostRewrite;
    this.pathRewrite = parts.pathRewrite;
  }

  cluster(head: RequestHead, random: number, outcome?: Outcome): ClusterChoice {
    return this.specifier.choose(head, random, outcome);
  }

  clusterAgain(head: RequestHead, random: number, outcome: Outcome, tried: Set<unknown>): ClusterChoice | null {
    return this.specifier.chooseAgain?.(head, random, outcome, tried) ?? null;
  }

  mutateRequest(head: RequestHead, outcome: Outcome, choice: ClusterChoice, keepOriginal = true): void {
    choice.mutateRequest(head, outcome);
    applyAll(this.levels, head.headers, outcome);
    if (this.hostRewrite !== null) {
      const authority = this.hostRewrite.authority(head, outcome);
      if (authority !== '') rewriteAuthority(head, authority, this.appendXForwardedHost, keepOriginal);
    }
    if (this.pathRewrite !== null) {
      const path = this.pathRewrite.rewrite(head.path, outcome);
      if (path !== '') replacePath(head, path, keepOriginal);
    }
  }
}
