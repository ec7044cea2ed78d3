import { CelScalar, celEnv, celFunc, isCelError, listType, parse, plan, type CelEnv } from '@bufbuild/cel';
import type { Outcome } from '../outcome.ts';
import { Attributes, nodeMap, TelemetryAttributes, xdsTable, type NodeAttributes } from './attributes.ts';
import { jsonOfValue, textOfValue } from './cel-value.ts';
import { checkedExpression, ExpressionError, type ExpressionSource } from './expression-check.ts';
import { defaultExpressionOptions, type ExpressionData, type ExpressionOptions } from './expression-data.ts';
import type { Expression, ExpressionEngine } from './expressions.ts';
import { Patterns, stringFunctions, textFunctions } from './text-functions.ts';
import { timeFunctions } from './time-functions.ts';

/** cel-cpp's `expression_size_codepoint_limit`. */
const textMax = 100_000;

const { BYTES, STRING } = CelScalar;
const LIST = listType(CelScalar.DYN);

/** CEL by `@bufbuild/cel`, with what Envoy makes of it. */
export class CelEngine implements ExpressionEngine {
  private readonly patterns: Patterns;
  /** By what the configuration switches on; made when one asks for it. */
  private readonly environments: Map<string, CelEnv>;
  private readonly withNode: ReturnType<typeof xdsTable>;
  private readonly withoutNode: ReturnType<typeof xdsTable>;
  /** `node` of telemetry; undefined: it is not known. */
  private readonly node: unknown;

  constructor(node: NodeAttributes | null) {
    this.patterns = new Patterns();
    this.environments = new Map();
    this.withNode = xdsTable(node);
    this.withoutNode = xdsTable(null);
    this.node = node === null ? undefined : nodeMap(node);
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

  build(data: ExpressionData, knowsNode: boolean, isTelemetry = false): Expression {
    type Planned = Parameters<typeof plan>[1];
    const evaluate = plan(this.environment(data), data.root as unknown as Planned) as unknown as Evaluate;
    if (isTelemetry) return new TelemetryExpression(evaluate, this.withNode, this.node);
    return new CelExpression(evaluate, knowsNode ? this.withNode : this.withoutNode);
  }

  private environment({ joinsStrings, hasStringFunctions }: ExpressionData): CelEnv {
    const key = `${joinsStrings} ${hasStringFunctions}`;
    let environment = this.environments.get(key);
    if (environment === undefined) {
      const funcs = [...textFunctions(), ...timeFunctions(), ...this.patterns.functions()];
      if (!joinsStrings) funcs.push(...withoutJoining());
      if (hasStringFunctions) funcs.push(...stringFunctions());
      environment = celEnv({ funcs });
      this.environments.set(key, environment);
    }
    return environment;
  }
}

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

type Evaluate = (attributes: Attributes) => unknown;

class CelExpression implements Expression {
  protected readonly evaluate: Evaluate;
  protected readonly xds: ReturnType<typeof xdsTable>;

  constructor(evaluate: Evaluate, xds: ReturnType<typeof xdsTable>) {
    this.evaluate = evaluate;
    this.xds = xds;
  }

  protected attributesOf(outcome: Outcome): Attributes {
    return new Attributes(outcome, this.xds);
  }

  matches(outcome: Outcome): boolean {
    return this.evaluate(this.attributesOf(outcome)) === true;
  }

  text(outcome: Outcome): string | null {
    const value = this.evaluate(this.attributesOf(outcome));
    return isCelError(value) ? null : textOfValue(value);
  }

  json(outcome: Outcome): string | null {
    const value = this.evaluate(this.attributesOf(outcome));
    return isCelError(value) ? null : jsonOfValue(value);
  }
}

class TelemetryExpression extends CelExpression {
  private readonly node: unknown;

  constructor(evaluate: Evaluate, xds: ReturnType<typeof xdsTable>, node: unknown) {
    super(evaluate, xds);
    this.node = node;
  }

  protected override attributesOf(outcome: Outcome): Attributes {
    return new TelemetryAttributes(outcome, this.xds, this.node);
  }
}
