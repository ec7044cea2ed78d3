import { CelScalar, celEnv, celFunc, celMethod, isCelError, listType, parse, plan, type CelEnv } from '@bufbuild/cel';
import type { RE2JS } from 're2js';
import { re2 } from '../../core/re2.ts';
import type { Outcome } from '../outcome.ts';
import { Attributes, xdsTable, type NodeAttributes } from './attributes.ts';
import { jsonOfValue, textOfValue } from './cel-value.ts';
import { checkedExpression, ExpressionError, type ExpressionSource } from './expression-check.ts';
import { defaultExpressionOptions, type ExpressionData, type ExpressionOptions } from './expression-data.ts';
import type { Expression, ExpressionEngine } from './expressions.ts';

/** cel-cpp's `expression_size_codepoint_limit`. */
const textMax = 100_000;
/** Patterns that come with requests, too, are remembered. */
const patternsMax = 256;

const { BOOL, BYTES, INT, STRING } = CelScalar;
const LIST = listType(CelScalar.DYN);

/** CEL by `@bufbuild/cel`, with what Envoy makes of it. */
export class CelEngine implements ExpressionEngine {
  private readonly patterns: Map<string, RE2JS>;
  private readonly joining: CelEnv;
  private readonly plain: CelEnv;
  private readonly withNode: ReturnType<typeof xdsTable>;
  private readonly withoutNode: ReturnType<typeof xdsTable>;

  constructor(node: NodeAttributes | null) {
    this.patterns = new Map();
    this.joining = celEnv({ funcs: this.functions() });
    this.plain = celEnv({ funcs: [...this.functions(), ...withoutJoining()] });
    this.withNode = xdsTable(node);
    this.withoutNode = xdsTable(null);
  }

  parse(text: string, options: ExpressionOptions = defaultExpressionOptions): ExpressionData {
    if (text.length > textMax) throw new ExpressionError(`expression of more than ${textMax} characters`);
    let source: ExpressionSource | undefined;
    try {
      source = parse(text).expr;
    } catch (error) {
      throw new ExpressionError(`Not able to parse expression: ${(error as Error).message}`);
    }
    return checkedExpression(source, options);
  }

  build(data: ExpressionData, knowsNode: boolean): Expression {
    type Planned = Parameters<typeof plan>[1];
    const evaluate = plan(data.joinsStrings ? this.joining : this.plain, data.root as unknown as Planned);
    return new CelExpression(evaluate as unknown as Evaluate, knowsNode ? this.withNode : this.withoutNode);
  }

  /** Texts are bytes here, and patterns are remembered; functions that are methods are functions, too, as in cel-cpp. */
  private functions() {
    const matches = (text: string, pattern: string): boolean => this.patternOf(pattern).matcher(text).find();
    return [
      celFunc('size', [STRING], INT, (text) => BigInt(characters(text))),
      celMethod('size', STRING, [], INT, function size(this: string) {
        return BigInt(characters(this));
      }),
      celFunc('contains', [STRING, STRING], BOOL, (text, part) => text.includes(part)),
      celFunc('startsWith', [STRING, STRING], BOOL, (text, part) => text.startsWith(part)),
      celFunc('endsWith', [STRING, STRING], BOOL, (text, part) => text.endsWith(part)),
      celFunc('matches', [STRING, STRING], BOOL, matches),
      celMethod('matches', STRING, [STRING], BOOL, function matchesThis(this: string, pattern) {
        return matches(this, pattern);
      }),
    ];
  }

  private patternOf(pattern: string): RE2JS {
    const known = this.patterns.get(pattern);
    if (known !== undefined) return known;
    if (this.patterns.size >= patternsMax) this.patterns.clear();
    const made = re2().RE2JS.compile(pattern);
    if (made.programSize() > programSizeMax) throw new Error('unsupported RE2 pattern for matches');
    this.patterns.set(pattern, made);
    return made;
  }
}

/**
 * Envoy's limit is 100 of RE2's instructions; re2js counts some more for the same pattern, as it has one for each
 * character of a literal. What is compared with a request stays linear, and short.
 */
const programSizeMax = 1000;

/** Without `enable_string_concat` cel-cpp has no `+` for texts, bytes and lists. */
function withoutJoining() {
  const refuse = (): never => {
    throw new Error('no matching overload for _+_');
  };
  return [
    celFunc('_+_', [STRING, STRING], STRING, refuse),
    celFunc('_+_', [BYTES, BYTES], BYTES, refuse),
    celFunc('_+_', [LIST, LIST], LIST, refuse),
  ];
}

/** Code points of the UTF-8 that the bytes are. */
function characters(bytes: string): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes.charCodeAt(i) & 0xc0) !== 0x80) count++;
  return count;
}

type Evaluate = (attributes: Attributes) => unknown;

class CelExpression implements Expression {
  private readonly evaluate: Evaluate;
  private readonly xds: ReturnType<typeof xdsTable>;

  constructor(evaluate: Evaluate, xds: ReturnType<typeof xdsTable>) {
    this.evaluate = evaluate;
    this.xds = xds;
  }

  matches(outcome: Outcome): boolean {
    return this.evaluate(new Attributes(outcome, this.xds)) === true;
  }

  text(outcome: Outcome): string | null {
    const value = this.evaluate(new Attributes(outcome, this.xds));
    return isCelError(value) ? null : textOfValue(value);
  }

  json(outcome: Outcome): string | null {
    const value = this.evaluate(new Attributes(outcome, this.xds));
    return isCelError(value) ? null : jsonOfValue(value);
  }
}
