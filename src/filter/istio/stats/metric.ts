import type { Counter, Histogram } from '../../../observe/stats/stats.ts';
import type { TagChangesData } from './istio-stats-data.ts';
import type { StatsRegistry } from './registry.ts';

/** One metric of a configuration: what its name and tags are. */
export class Metric {
  readonly name: string;
  readonly isDropped: boolean;
  private readonly registry: StatsRegistry;
  private readonly changes: TagChangesData | null;

  constructor(name: string, changes: TagChangesData | null, isDropped: boolean, registry: StatsRegistry) {
    this.name = `istio_${name}`;
    this.isDropped = isDropped;
    this.registry = registry;
    this.changes = changes;
  }

  /** `labels`: as Istio has them; `values`: of the configuration's expressions. Null: it is dropped. */
  counter(labels: readonly string[], values: readonly string[], askedMs: number): Counter | null {
    return this.isDropped ? null : this.registry.counter(this.name, this.tags(labels, values), askedMs);
  }

  histogram(labels: readonly string[], values: readonly string[], askedMs: number): Histogram | null {
    return this.isDropped ? null : this.registry.histogram(this.name, this.tags(labels, values), askedMs);
  }

  tags(labels: readonly string[], values: readonly string[]): readonly string[] {
    if (this.changes === null) return labels;
    const { changed, added } = this.changes;
    const tags: string[] = [];
    for (let i = 0; i < labels.length; i += 2) {
      const value = Object.hasOwn(changed, labels[i]) ? changed[labels[i]] : undefined;
      if (value !== null) tags.push(labels[i], value === undefined ? labels[i + 1] : values[value]);
    }
    for (const [tag, value] of added) tags.push(tag, values[value]);
    return tags;
  }
}
