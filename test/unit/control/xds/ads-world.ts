import { onTestFinished } from 'vitest';
import type { ResourceKind, Subscription, SubscriptionUser } from '../../../../src/control/xds/resource-kind.ts';
import { Subscriptions } from '../../../../src/control/xds/subscriptions.ts';
import type { ApiSourceData } from '../../../../src/identity/config-source-data.ts';
import { ControlPlane } from '../../../xds/control-plane.ts';
import { isDelta, type XdsRequest } from '../../../xds/xds-server.ts';
import { apiSource, XdsWorld } from './xds-world.ts';

/** A process that asks one control plane for everything. */
export class AdsWorld {
  readonly xds = new XdsWorld();
  readonly subscriptions = new Subscriptions(this.xds);
  readonly plane: ControlPlane;
  /** Kinds by the names that tests call them. */
  private readonly names = new Map<string, string>();

  private constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  static async start(protocol: ApiSourceData['protocol'], change: Partial<ApiSourceData> = {}): Promise<AdsWorld> {
    const own = new AdsWorld(await ControlPlane.start());
    own.xds.addCluster('plane', { kind: 'ip', host: '127.0.0.1', port: own.plane.port });
    own.subscriptions.setAds(apiSource('plane', { protocol, nodeOnFirstMessageOnly: true, ...change }));
    onTestFinished(() => own.subscriptions.stop());
    return own;
  }

  open(
    kind: ResourceKind,
    names: readonly string[],
    user: SubscriptionUser,
    { initialFetchTimeoutMs = 0, namespace = '', as = shortName(kind.typeUrl) } = {},
  ): Subscription {
    this.names.set(kind.typeUrl, shortName(kind.typeUrl));
    const source = { initialFetchTimeoutMs, from: { kind: 'ads' } } as const;
    return this.subscriptions.open(kind, names, source, user, this.xds.countedAs(as), namespace);
  }

  /** All requests of the newest stream, each in a line. */
  get asked(): readonly string[] {
    return (this.plane.server.peers.at(-1)?.requests ?? []).map((request) => line(request));
  }

  /** Resolves with them when there are so many. */
  async askedSo(count: number): Promise<readonly string[]> {
    await this.plane.server.until(() => this.asked.length >= count);
    return this.asked;
  }
}

/** `Cluster v1 n1 [a b] node NACK(why)`, or of delta `Cluster n1 +a -b {a:1} node NACK(why)`. */
export function line(request: XdsRequest): string {
  const parts = [shortName(request.typeUrl)];
  if (isDelta(request)) {
    if (request.responseNonce !== '') parts.push(request.responseNonce);
    parts.push(...request.resourceNamesSubscribe.toSorted().map((name) => `+${name}`));
    parts.push(...request.resourceNamesUnsubscribe.toSorted().map((name) => `-${name}`));
    const versions = Object.entries(request.initialResourceVersions).map(([name, version]) => `${name}:${version}`);
    if (versions.length > 0) parts.push(`{${versions.toSorted().join(' ')}}`);
  } else {
    if (request.versionInfo !== '') parts.push(`v${request.versionInfo}`);
    if (request.responseNonce !== '') parts.push(request.responseNonce);
    parts.push(`[${request.resourceNames.toSorted().join(' ')}]`);
  }
  if (request.node !== undefined) parts.push('node');
  if (request.errorDetail !== undefined) parts.push(`NACK(${request.errorDetail.message})`);
  return parts.join(' ');
}

function shortName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}
