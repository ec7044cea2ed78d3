import type { ConnectionFacts } from '../proxy/connection-facts.ts';
import { trafficLabels, type TrafficLabels } from './traffic-metrics.ts';

/** Texts that are kept; beyond that it begins anew. */
const entriesMax = 10_000;

interface Entry {
  readonly facts: ConnectionFacts;
  readonly labels: TrafficLabels;
}

/** Connections between the same two have one text, however many they are. */
export class LabelCache {
  private readonly entries: Map<string, Entry>;

  constructor() {
    this.entries = new Map();
  }

  of(facts: ConnectionFacts): TrafficLabels {
    const { direction, source, destination, service, sourceIdentity, destinationIdentity, hboneAddress } = facts;
    const kind = `${direction}${hboneAddress === '' ? '' : ' hbone'}`;
    const ends = `${source?.uid ?? ''} ${destination?.uid ?? ''} ${service?.hostname ?? ''}`;
    const key = `${kind} ${ends} ${sourceIdentity} ${destinationIdentity}`;
    const known = this.entries.get(key);
    if (known !== undefined && isOfSame(known.facts, facts)) return known.labels;
    if (this.entries.size >= entriesMax) this.entries.clear();
    const labels = trafficLabels(facts);
    this.entries.set(key, { facts, labels });
    return labels;
  }
}

/** None of them has been told anew since. */
function isOfSame(a: ConnectionFacts, b: ConnectionFacts): boolean {
  return a.source === b.source && a.destination === b.destination && a.service === b.service;
}
