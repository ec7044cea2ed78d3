import type { Extensions } from '../../../core/extension.ts';
import type { ConfigSourceData } from '../../../identity/config-source-data.ts';

/** Scopes that come by SRDS. */
export interface ScopeSourceData {
  /** The same for everyone who names these scopes of this source. */
  readonly key: string;
  /** Of the set of scopes. */
  readonly name: string;
  readonly source: ConfigSourceData;
  /** Where the route configurations come from that scopes name. */
  readonly rdsSource: ConfigSourceData | null;
  /** Of the connection manager that names it: what it is counted under. */
  readonly statPrefix: string;
}

/** The scopes that what is being decoded needs. It travels with the decoders as `Extensions.scopes`. Main thread only. */
export class ScopeSources {
  private pending: Map<string, ScopeSourceData>;

  constructor() {
    this.pending = new Map();
  }

  /** Of a decoder's extensions; null where none may be named. */
  static of({ scopes }: Extensions): ScopeSources | null {
    return scopes instanceof ScopeSources ? scopes : null;
  }

  need(source: ScopeSourceData): void {
    if (!this.pending.has(source.key)) this.pending.set(source.key, source);
  }

  /** What was needed since it was last asked. */
  take(): readonly ScopeSourceData[] {
    const taken = [...this.pending.values()];
    if (taken.length > 0) this.pending = new Map();
    return taken;
  }
}
