import type { Outcome } from '../outcome.ts';
import type { NodeAttributes } from './attributes.ts';
import { ExpressionError } from './expression-check.ts';
import type { ExpressionData, ExpressionOptions } from './expression-data.ts';

/** A CEL expression over what is known of a stream or a connection, with Envoy's attributes. */
export interface Expression {
  /** True only where it comes to true: an error, or what is no boolean, is false. */
  matches(outcome: Outcome): boolean;
  /** As bytes; null: an error. Texts are bare, structures are named by their kind only. */
  text(outcome: Outcome): string | null;
  /** JSON, with its type; null: an error, or what has no JSON. */
  json(outcome: Outcome): string | null;
}

/** The library, loaded. */
export interface ExpressionEngine {
  /** @throws ExpressionError where Envoy, or sekisho, refuses the text */
  parse(text: string, options?: ExpressionOptions): ExpressionData;
  /**
   * `knowsNode`: whether there is an `xds.node`. Policies have none. `isTelemetry`: Istio's metrics know the node as
   * `node`, and peers as `downstream_peer` and `upstream_peer`, besides.
   */
  build(data: ExpressionData, knowsNode: boolean, isTelemetry?: boolean): Expression;
}

/** Among the message names that a configuration names: it has expressions. */
export const expressionKind = 'cel.expr.Expr';

let engine: ExpressionEngine | null = null;

/** Brings the library in: only where a configuration has expressions. `node`: the process's own, where it is known. */
export async function loadExpressions(node: NodeAttributes | null): Promise<void> {
  if (engine !== null) return;
  const { CelEngine } = await import('./cel-engine.ts');
  engine ??= new CelEngine(node);
}

/**
 * @throws ExpressionError where `loadExpressions` was not awaited. What a configuration itself says is known before
 * anything is decoded, by `expressionKind`; what lies in a file of its own is not.
 */
export function expressionEngine(): ExpressionEngine {
  if (engine === null) throw new ExpressionError('CEL is supported by sekisho only in the configuration itself');
  return engine;
}
