import { digestOf } from '../../core/digest.ts';
import type { Extensions } from '../../core/extension.ts';
import type { ConfigSourceData } from '../../identity/config-source-data.ts';

/** A route configuration that comes by RDS. */
export interface RouteSourceData {
  /** The same for everyone who names this resource of this source. */
  readonly key: string;
  /** Of the resource. */
  readonly name: string;
  readonly source: ConfigSourceData;
  /** Of the connection manager that names it: what it is counted under. */
  readonly statPrefix: string;
}

/** `statPrefix`: of the connection manager that names it. */
export function routeSource(name: string, source: ConfigSourceData, statPrefix: string): RouteSourceData {
  const key = `rds/${name}/${digestOf(JSON.stringify(source))}`;
  return { key, name, source, statPrefix };
}

/**
 * The route configurations that what is being decoded needs. It travels with the decoders as `Extensions.routes`. Main
 * thread only.
 */
export class RouteSources {
  private pending: Map<string, RouteSourceData>;

  constructor() {
    this.pending = new Map();
  }

  /** Of a decoder's extensions; null where no route configurations may be named. */
  static of({ routes }: Extensions): RouteSources | null {
    return routes instanceof RouteSources ? routes : null;
  }

  /** As in Envoy, the first that names one says what it is counted under. */
  need(source: RouteSourceData): void {
    if (!this.pending.has(source.key)) this.pending.set(source.key, source);
  }

  /** What was needed since it was last asked. */
  take(): readonly RouteSourceData[] {
    const taken = [...this.pending.values()];
    if (taken.length > 0) this.pending = new Map();
    return taken;
  }
}
