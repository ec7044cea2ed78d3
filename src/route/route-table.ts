import type { RequestHead } from '../core/head.ts';
import type { DomainTable } from './domain-table.ts';
import { pathOnly, portStart, withoutPathParameters } from './path.ts';
import type { RouteConfigurationData } from './route-data.ts';
import type { MatchContext, Route, RouteTable } from './route.ts';
import type { VirtualHost } from './virtual-host.ts';

/** A route configuration, built. */
export class ConfiguredRouteTable implements RouteTable {
  readonly name: string;
  readonly internalOnlyHeaders: readonly string[];
  private readonly domains: DomainTable<VirtualHost>;
  private readonly only: VirtualHost | null;
  private readonly vhostHeader: string;
  private readonly ignorePort: boolean;
  private readonly ignorePathParameters: boolean;

  constructor(data: RouteConfigurationData, domains: DomainTable<VirtualHost>) {
    this.name = data.name;
    this.internalOnlyHeaders = data.internalOnlyHeaders;
    this.domains = domains;
    this.only = domains.only;
    this.vhostHeader = data.vhostHeader;
    this.ignorePort = data.ignorePortInHostMatching;
    this.ignorePathParameters = data.ignorePathParameters;
  }

  match(head: RequestHead, context: MatchContext): Route | null {
    const virtualHost = this.only ?? this.virtualHost(head);
    if (virtualHost === null) return null;
    const ownPath = pathOnly(head.path);
    const path = this.ignorePathParameters ? withoutPathParameters(ownPath) : ownPath;
    return virtualHost.match(path, ownPath, head, context);
  }

  private virtualHost(head: RequestHead): VirtualHost | null {
    let host = head.authority;
    if (this.vhostHeader !== '') {
      const value = head.get(this.vhostHeader);
      if (value === undefined) return null;
      host = value;
    }
    if (this.ignorePort) {
      const port = portStart(host);
      if (port >= 0) host = host.slice(0, port);
    }
    return this.domains.find(host);
  }
}
