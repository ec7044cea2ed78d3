/** What a proxy is configured to be; every target says which of these it can. `h2`: clients speak it, `h2-h2`: all do. */
export type Shape = 'plain' | 'h2' | 'h2-h2' | 'realistic' | 'tcp' | 'large';

/** Where a proxy under test lives for one run. */
export interface Place {
  readonly listenPort: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  /** A directory of its own, for its configuration and logs. */
  readonly directory: string;
}

/** A proxy that is measured. */
export interface Target {
  readonly name: string;
  /** Why it cannot run here, or null. */
  unavailable(): string | null;
  supports(shape: Shape): boolean;
  /** Writes its configuration into the place and gives the command that serves it. */
  prepare(shape: Shape, place: Place, workers: number): readonly string[];
}
