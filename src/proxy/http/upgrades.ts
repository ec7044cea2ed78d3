import type { RequestHead } from '../../core/head.ts';
import type { Route } from '../../route/route.ts';
import type { HttpFilterChain } from './stream/filter-chain.ts';

/** One `upgrade_configs` entry of a connection manager. */
export interface UpgradeRule {
  readonly isEnabled: boolean;
  /** Null: the manager's own. */
  readonly chain: HttpFilterChain | null;
}

/** Which requests for another protocol a connection manager takes, and through which filters they pass. */
export class Upgrades {
  private readonly rules: ReadonlyMap<string, UpgradeRule>;
  private readonly usual: HttpFilterChain;

  /** `rules`: by upgrade type, lower-case. `usual`: the filters of every other request. */
  constructor(rules: ReadonlyMap<string, UpgradeRule>, usual: HttpFilterChain) {
    this.rules = rules;
    this.usual = usual;
  }

  /** The filters for this type on this route, which may allow what the manager does not, and the reverse; null: refused. */
  chainFor(type: string, route: Route | null): HttpFilterChain | null {
    const key = type.toLowerCase();
    const rule = this.rules.get(key);
    const ofRoute = route !== null && route.action.kind === 'forward' ? route.action.upgrades.get(key) : undefined;
    if (ofRoute === false) return null;
    if (ofRoute === undefined && (rule === undefined || !rule.isEnabled)) return null;
    return rule?.chain ?? this.usual;
  }
}

/**
 * The protocol that a prepared request wants its stream to become, `CONNECT` for a tunnel; empty: none. An `Upgrade`
 * that its `Connection` does not name is gone by then.
 */
export function upgradeTypeOf(head: RequestHead): string {
  if (head.method === 'CONNECT') return head.headers.get('upgrade') ?? 'CONNECT';
  return head.headers.has('upgrade') ? head.headers.get('upgrade')! : '';
}
