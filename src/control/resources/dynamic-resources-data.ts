import type { ApiSourceData, ConfigSourceData } from '../../identity/config-source-data.ts';

/** `dynamic_resources`: where clusters and listeners come from besides those of the bootstrap. Null: from nowhere. */
export interface DynamicResourcesData {
  readonly listeners: ConfigSourceData | null;
  readonly clusters: ConfigSourceData | null;
  /** The one stream over which whatever names `ads` comes. */
  readonly ads: ApiSourceData | null;
}

export const nothingDynamic: DynamicResourcesData = { listeners: null, clusters: null, ads: null };
