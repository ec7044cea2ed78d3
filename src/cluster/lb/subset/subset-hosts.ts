import { canonical, criterion } from '../../../core/metadata-criteria.ts';
import { HostSet, type LocalityHosts } from '../../host/host-set.ts';
import type { UpstreamHost } from '../../host/host.ts';
import type { SubsetLbData } from '../lb-data.ts';

/** Hosts by the `criteriaKey` of the subset that they are of. */
export function sortIntoSubsets(
  hosts: readonly UpstreamHost[],
  { selectors, listAsAny }: SubsetLbData,
): Map<string, UpstreamHost[]> {
  const subsets = new Map<string, UpstreamHost[]>();
  for (const host of hosts) {
    const metadata = balancingMetadata(host);
    if (metadata === null) continue;
    for (const { keys } of selectors) {
      for (const key of keysOf(metadata, keys, listAsAny)) {
        const members = subsets.get(key);
        if (members === undefined) subsets.set(key, [host]);
        // Selectors, or values of a list, may say the same twice.
        else if (members[members.length - 1] !== host) members.push(host);
      }
    }
  }
  return subsets;
}

/** Its metadata are these; with `listAsAny` a list need only have the value. */
export function matchesSubset(
  host: UpstreamHost,
  wanted: Readonly<Record<string, unknown>>,
  listAsAny: boolean,
): boolean {
  const metadata = balancingMetadata(host);
  return Object.entries(wanted).every(([key, value]) => {
    if (metadata === null || !Object.hasOwn(metadata, key)) return false;
    const text = canonical(value);
    return valuesOf(metadata[key], listAsAny).some((own) => canonical(own) === text);
  });
}

/** One for every combination of values; none where a key is missing. */
function keysOf(metadata: Record<string, unknown>, names: readonly string[], listAsAny: boolean): string[] {
  let found: string[] = [];
  for (const [i, name] of names.entries()) {
    if (!Object.hasOwn(metadata, name)) return [];
    const values = valuesOf(metadata[name], listAsAny);
    if (i === 0) found = values.map((value) => criterion(name, value));
    else found = found.flatMap((before) => values.map((value) => `${before}\0${criterion(name, value)}`));
  }
  return found;
}

function valuesOf(value: unknown, listAsAny: boolean): readonly unknown[] {
  return listAsAny && Array.isArray(value) ? value : [value];
}

function balancingMetadata({ metadata }: UpstreamHost): Record<string, unknown> | null {
  const lb = metadata?.['envoy.lb'];
  return typeof lb === 'object' && lb !== null ? (lb as Record<string, unknown>) : null;
}

/** The hosts of a subset within one priority; a locality weighs less the fewer of its hosts are there. */
export class ScaledHostSet extends HostSet {
  private readonly whole: HostSet | undefined;

  /** `whole`: all hosts of the priority. */
  constructor(hosts: readonly UpstreamHost[], whole: HostSet | undefined) {
    super(hosts);
    this.whole = whole;
  }

  override get localities(): readonly LocalityHosts[] {
    return super.localities.map((part) => {
      const all = this.whole?.localities.find(({ hosts }) => hosts.includes(part.hosts[0]));
      if (all === undefined) return part;
      return { ...part, weight: Math.round((part.weight * part.hosts.length) / all.hosts.length) };
    });
  }
}
