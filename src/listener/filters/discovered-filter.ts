import type { ExtensionData } from '../../core/extension.ts';
import type { Discovered } from '../discovered.ts';
import type { DiscoveredExtension } from '../extension-sources.ts';
import type { ConfiguredFilter } from './inspection.ts';
import type { ListenerFilter } from './listener-filter.ts';

/** A listener filter that comes by ECDS. */
export class DiscoveredFilter implements ConfiguredFilter {
  /** Of connections that come from here on; null: it has not come, and they are closed. */
  filter: ListenerFilter | null;
  readonly isDisabled: ConfiguredFilter['isDisabled'];
  readonly release: () => void;

  constructor(
    isDisabled: ConfiguredFilter['isDisabled'],
    key: string,
    discovered: Discovered<DiscoveredExtension>,
    build: (config: ExtensionData) => ListenerFilter,
  ) {
    this.filter = null;
    this.isDisabled = isDisabled;
    const take = ({ config }: DiscoveredExtension): void => {
      this.filter = config === null ? null : build(config);
    };
    const now = discovered.get(key);
    if (now !== null) take(now);
    this.release = discovered.follow(key, take);
  }
}
