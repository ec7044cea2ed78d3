import type { PerFilterData } from './route-data.ts';
import type { FilterConfigBuilder } from './route.ts';

/** What the levels of one route say of its filters: the two maps of `Route`. */
export interface FilterSettings {
  readonly perFilter: ReadonlyMap<string, readonly unknown[]>;
  readonly filterDisabled: ReadonlyMap<string, boolean>;
}

interface Level {
  readonly filter: string;
  readonly disabled: boolean;
  /** Empty or one. */
  readonly configs: readonly unknown[];
}

export const noFilterSettings: FilterSettings = { perFilter: new Map(), filterDisabled: new Map() };

/** Builds the filters' configurations of one table; what a level says is built once, however many routes share it. */
export class FilterSettingsBuilder {
  private readonly build: FilterConfigBuilder;
  private readonly levels: Map<readonly PerFilterData[], readonly Level[]>;

  constructor(build: FilterConfigBuilder) {
    this.build = build;
    this.levels = new Map();
  }

  /** `base` with a more specific level over it. A configuration switches its filter on, as in Envoy. */
  over(base: FilterSettings, data: readonly PerFilterData[] | null): FilterSettings {
    if (data === null || data.length === 0) return base;
    const perFilter = new Map(base.perFilter);
    const filterDisabled = new Map(base.filterDisabled);
    for (const level of this.level(data)) {
      filterDisabled.set(level.filter, level.disabled);
      if (level.configs.length > 0) {
        perFilter.set(level.filter, [...(perFilter.get(level.filter) ?? []), ...level.configs]);
      }
    }
    return { perFilter, filterDisabled };
  }

  private level(data: readonly PerFilterData[]): readonly Level[] {
    let level = this.levels.get(data);
    if (level === undefined) {
      level = data.map(({ filter, disabled, config }) => ({
        filter,
        disabled,
        configs: config === null ? [] : [this.build(filter, config)],
      }));
      this.levels.set(data, level);
    }
    return level;
  }
}
