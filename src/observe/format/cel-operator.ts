import { ExpressionError } from '../expression/expression-check.ts';
import { expressionEngine, type Expression } from '../expression/expressions.ts';
import type { Outcome } from '../outcome.ts';
import { quoteJson } from './byte-string.ts';
import { FormatError } from './format-error.ts';
import type { Operator } from './operator.ts';

/** `%CEL(expression)%`, which is a string in JSON, and `%TYPED_CEL(expression)%`, which keeps its type there. */
export class CelOperator implements Operator {
  private readonly expression: Expression;
  private readonly isTyped: boolean;

  constructor(text: string, isTyped: boolean) {
    this.expression = compiled(text);
    this.isTyped = isTyped;
  }

  text(outcome: Outcome): string | null {
    return this.expression.text(outcome);
  }

  json(outcome: Outcome): string {
    if (this.isTyped) return this.expression.json(outcome) ?? 'null';
    const text = this.expression.text(outcome);
    return text === null ? 'null' : quoteJson(text);
  }
}

function compiled(text: string): Expression {
  try {
    const engine = expressionEngine();
    return engine.build(engine.parse(text), true);
  } catch (error) {
    if (error instanceof ExpressionError) throw new FormatError(error.message);
    throw error;
  }
}
