import type { Namespaces } from './hbone/namespaces.ts';
import type { Program } from './process.ts';
import type { Place, Shape, Target } from './target.ts';

/** One measurement: named numbers, lower is better unless the metric says otherwise. */
export type Sample = Readonly<Record<string, number>>;

export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
  readonly isHigherBetter?: boolean;
  /** Compared with Envoy's in the table. */
  readonly hasRatio?: boolean;
}

/** A running proxy, as a scenario sees it. */
export interface Running {
  readonly target: Target;
  readonly place: Place;
  readonly program: Program;
  /** The other one of a pair. */
  readonly behind: Program | null;
  /** Where a pair is that speaks HBONE; null: with us. */
  readonly spaces: Namespaces | null;
  /** What the tunnels of such a pair lead to, and who certifies it. */
  readonly others?: readonly Program[];
}

export interface Scale {
  /** Length of one measurement. */
  readonly seconds: number;
  /** Envoy's highest rate in the small scenario, requests per second, once it is known. */
  readonly envoyRate: number | null;
}

interface ScenarioBase {
  readonly name: string;
  readonly summary: string;
  readonly shape: Shape;
  readonly metrics: readonly Metric[];
  /** The ratio to Envoy's default that the project set itself, for the first metric. */
  readonly goal?: number;
  /** Part of `--short`. */
  readonly isShort?: boolean;
}

/** All targets are started once and measured in alternating rounds. */
export interface SharedScenario extends ScenarioBase {
  readonly kind: 'shared';
  /** Before the load that is measured, where that is too little to warm anybody up. */
  warmUp?(running: Running): Promise<unknown>;
  measure(running: Running, scale: Scale): Promise<Sample>;
}

/** The start of the program is (part of) what is measured, so every round starts its own. */
export interface OwnScenario extends ScenarioBase {
  readonly kind: 'own';
  /** The start is not what is measured: `start` resolves when the port listens. */
  readonly waitsForStart?: boolean;
  measure(start: (workers: number) => Promise<Running>, scale: Scale): Promise<Sample>;
}

export type Scenario = SharedScenario | OwnScenario;
