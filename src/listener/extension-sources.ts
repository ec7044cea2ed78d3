import type { ExtensionData, Extensions } from '../core/extension.ts';
import type { ConfigSourceData } from '../identity/config-source-data.ts';

/** What of a filter comes by ECDS. */
export interface ExtensionSourceData {
  /** The same for everyone who names this resource of this source with the same default. */
  readonly key: string;
  /** Of the resource, which is the filter's too. */
  readonly name: string;
  /** Where extensions of this kind stand: `envoy.filters.http`. */
  readonly category: string;
  readonly source: ConfigSourceData;
  /** Message names of what it may be. */
  readonly kinds: readonly string[];
  /** `default_config`: what holds where none has come; null: there is none. */
  readonly fallback: ExtensionData | null;
  /** Whoever waits for it need not: the default holds until it comes. */
  readonly startsWithFallback: boolean;
  /** Of a network filter: whether it is the last of its chain, where others may not stand. Absent: it is none. */
  readonly isLast?: boolean;
}

/** How what is made of it refers to it. */
export interface ExtensionRefData {
  readonly key: string;
  /** Message names of what it may be. */
  readonly kinds: readonly string[];
}

/** As workers have it: null, none has come and there is no default. */
export interface DiscoveredExtension {
  readonly config: ExtensionData | null;
}

/**
 * The configurations of filters that what is being decoded needs. It travels with the decoders as `Extensions.configs`.
 * Main thread only.
 */
export class ExtensionSources {
  private pending: Map<string, ExtensionSourceData>;

  constructor() {
    this.pending = new Map();
  }

  /** Of a decoder's extensions; null where none may be named. */
  static of({ configs }: Extensions): ExtensionSources | null {
    return configs instanceof ExtensionSources ? configs : null;
  }

  need(source: ExtensionSourceData): void {
    this.pending.set(source.key, source);
  }

  /** What was needed since it was last asked. */
  take(): readonly ExtensionSourceData[] {
    const taken = [...this.pending.values()];
    if (taken.length > 0) this.pending = new Map();
    return taken;
  }
}
