import { canonical, criteriaKey } from '../../../core/metadata-criteria.ts';
import { HostSet, type LocalityHosts } from '../../host-set.ts';
import type { UpstreamHost } from '../../host.ts';
import type { SubsetLbData } from '../lb-data.ts';

/** Hosts by the `criteriaKey` of the subset that they are of. */
export function sortIntoSubsets(
  hosts: readonly UpstreamHost[],
  { selectors, listAsAny }: SubsetLbData,
): Map<string, UpstreamHost[]> {
  const subsets = new Map<string, UpstreamHost[]>();
  for (const host of hosts) {
    for (const key of new Set(selectors.flatMap(({ keys }) => keysOf(host, keys, listAsAny)))) {
      const members = subsets.get(key);
      if (members === undefined) subsets.set(key, [host]);
      else members.push(host);
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
function keysOf(host: UpstreamHost, names: readonly string[], listAsAny: boolean): string[] {
  const metadata = balancingMetadata(host);
  if (metadata === null || names.length === 0) return [];
  let combinations: unknown[][] = [[]];
  for (const name of names) {
    if (!Object.hasOwn(metadata, name)) return [];
    const values = valuesOf(metadata[name], listAsAny);
    combinations = combinations.flatMap((before) => values.map((value) => [...before, value]));
  }
  return combinations.map((values) => criteriaKey(names, values));
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
