import { ExpressionError } from '../../../observe/expression/expression-check.ts';
import type { ExpressionData } from '../../../observe/expression/expression-data.ts';
import { expressionEngine } from '../../../observe/expression/expressions.ts';

/** The expressions of one configuration, each parsed once. */
export class ParsedExpressions {
  readonly list: ExpressionData[];
  private readonly known: Map<string, number | null>;

  constructor() {
    this.list = [];
    this.known = new Map();
  }

  /** Its index in `list`; null: it cannot be parsed. */
  of(text: string): number | null {
    let index = this.known.get(text);
    if (index === undefined) {
      index = this.parse(text);
      this.known.set(text, index);
    }
    return index;
  }

  private parse(text: string): number | null {
    try {
      return this.list.push(expressionEngine().parse(text)) - 1;
    } catch (error) {
      if (error instanceof ExpressionError) return null;
      throw error;
    }
  }
}
