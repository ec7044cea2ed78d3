import type { Outcome } from '../../observe/outcome.ts';
import { lowerAscii } from '../../route/wire-text.ts';
import type { PolicyData, RuleData } from './rbac-data.ts';

const none: readonly number[] = [];

/**
 * Which policies can hold at all for a host: gateways have hundreds, and most of them name the hosts that they are for.
 * Policies are their places in a list, always in order.
 */
export class PoliciesByHost {
  /** Those that name no host. */
  readonly others: readonly number[];
  private readonly byHost: ReadonlyMap<string, readonly number[]>;

  constructor(policies: readonly PolicyData[]) {
    const others: number[] = [];
    const byHost = new Map<string, number[]>();
    for (const [place, { permissions, principals }] of policies.entries()) {
      const hosts = hostsOfAny(permissions) ?? hostsOfAny(principals);
      if (hosts === null) others.push(place);
      for (const host of hosts ?? []) {
        const places = byHost.get(host);
        if (places === undefined) byHost.set(host, [place]);
        else places.push(place);
      }
    }
    this.others = others;
    this.byHost = byHost;
  }

  /** Those that name the host of the request; of a connection without one there is none. */
  of({ requestHead }: Outcome): readonly number[] {
    if (this.byHost.size === 0 || requestHead === null) return none;
    return this.byHost.get(lowerAscii(requestHead.authority)) ?? none;
  }
}

/** The hosts, in lower case, of which one must be asked for where the rule holds. Null: it may hold for any. */
function hostsOf(rule: RuleData): ReadonlySet<string> | null {
  switch (rule.kind) {
    case 'header': {
      const { name, test, invert, treatMissingAsEmpty } = rule.header;
      if ((name !== ':authority' && name !== 'host') || invert || treatMissingAsEmpty) return null;
      return test.kind === 'string' && test.string.kind === 'exact' ? new Set([lowerAscii(test.string.value)]) : null;
    }
    case 'and':
      for (const part of rule.rules) {
        const hosts = hostsOf(part);
        if (hosts !== null) return hosts;
      }
      return null;
    case 'or':
      return hostsOfAny(rule.rules);
    default:
      return null;
  }
}

function hostsOfAny(rules: readonly RuleData[]): ReadonlySet<string> | null {
  const all = new Set<string>();
  for (const rule of rules) {
    const hosts = hostsOf(rule);
    if (hosts === null) return null;
    for (const host of hosts) all.add(host);
  }
  return all;
}
