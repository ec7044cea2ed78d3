import { toBytes } from '../format/byte-string.ts';
import {
  defaultExpressionOptions,
  type ConstantData,
  type ExpressionData,
  type ExpressionNode,
  type ExpressionOptions,
} from './expression-data.ts';

/** Why an expression is refused: Envoy's words where Envoy refuses it, too. */
export class ExpressionError extends Error {}

/** What the parser and the messages of configurations have in common: `cel.expr.Expr`, and its v1alpha1. */
export interface ExpressionSource {
  readonly exprKind: { readonly case: string | undefined; readonly value?: unknown };
}

/** cel-cpp's `max_recursion_depth`. */
const depthMax = 250;
/** Of ours. Each costs some memory in every worker, and time where it is evaluated. */
const nodesMax = 10_000;

/** What Envoy registers: cel-cpp's standard, without what its options leave out. */
const FUNCTIONS: ReadonlySet<string> = new Set(
  (
    '!_ -_ _&&_ _||_ _?_:_ _[_] _==_ _!=_ _<_ _<=_ _>_ _>=_ _+_ _-_ _*_ _/_ _%_ @in _in_ in size contains startsWith ' +
    'endsWith matches int uint double bool bytes type dyn duration timestamp getFullYear getMonth getDate getDayOfMonth ' +
    'getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds @not_strictly_false'
  ).split(' '),
);

const RE_FUNCTIONS: ReadonlySet<string> = new Set(['extract', 'capture', 'captureN']);

/** `enable_string_functions`. */
const STRING_FUNCTIONS: ReadonlySet<string> = new Set(
  'charAt indexOf lastIndexOf lowerAscii upperAscii replace split substring trim join format reverse'.split(' '),
);

/** Attributes of Envoy's that sekisho does not know. */
const UNKNOWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'upstream.locality',
  'upstream.num_endpoints',
  'upstream_filter_state',
  'xds.listener_direction',
  'xds.upstream_host_locality_metadata',
]);

/** @throws ExpressionError where Envoy, or sekisho, refuses the expression */
export function checkedExpression(
  source: ExpressionSource | undefined,
  options: ExpressionOptions = defaultExpressionOptions,
): ExpressionData {
  return {
    root: new Checker(options).node(source, 1),
    joinsStrings: options.stringConcat,
    hasStringFunctions: options.stringFunctions,
  };
}

class Checker {
  private readonly options: ExpressionOptions;
  private nodes: number;

  constructor(options: ExpressionOptions) {
    this.options = options;
    this.nodes = 0;
  }

  node(source: ExpressionSource | undefined, depth: number): ExpressionNode {
    if (++this.nodes > nodesMax) throw new ExpressionError(`an expression of more than ${nodesMax} parts`);
    if (depth > depthMax) throw new ExpressionError(`expression nested deeper than ${depthMax}`);
    return { id: 0n, exprKind: this.kind(source, depth) };
  }

  private kind(source: ExpressionSource | undefined, depth: number): ExpressionNode['exprKind'] {
    const kind = source?.exprKind;
    const value = (kind?.value ?? {}) as Readonly<Record<string, unknown>>;
    switch (kind?.case) {
      case 'constExpr':
        return { case: 'constExpr', value: { constantKind: constantOf(value) } };
      case 'identExpr':
        known(String(value.name));
        return { case: 'identExpr', value: { name: String(value.name).replace(/^\./, '') } };
      case 'selectExpr':
        return { case: 'selectExpr', value: this.select(value, depth) };
      case 'callExpr':
        return { case: 'callExpr', value: this.call(value, depth) };
      case 'listExpr':
        return { case: 'listExpr', value: this.list(value, depth) };
      case 'structExpr':
        return { case: 'structExpr', value: this.struct(value, depth) };
      case 'comprehensionExpr':
        throw new ExpressionError('failed to create an expression: Comprehension support is disabled');
      default:
        throw new ExpressionError('failed to create an expression: Invalid empty expression');
    }
  }

  private select({ operand, field, testOnly }: Readonly<Record<string, unknown>>, depth: number) {
    const of = operand as ExpressionSource | undefined;
    if (of?.exprKind.case === 'identExpr') known(`${(of.exprKind.value as { name: string }).name}.${String(field)}`);
    return { operand: this.node(of, depth + 1), field: toBytes(String(field)), testOnly: testOnly === true };
  }

  private call(source: Readonly<Record<string, unknown>>, depth: number) {
    const name = String(source.function);
    if (!this.isKnown(name, source.target as ExpressionSource | undefined))
      throw new ExpressionError(
        `failed to create an expression: No overload found in reference resolve step for ${name}`,
      );
    const target = source.target as ExpressionSource | undefined;
    return {
      target: target === undefined ? undefined : this.node(target, depth + 1),
      function: name,
      args: (source.args as ExpressionSource[]).map((arg) => this.node(arg, depth + 1)),
    };
  }

  private isKnown(name: string, target: ExpressionSource | undefined): boolean {
    if (FUNCTIONS.has(name)) return true;
    if (name === 'string') return this.options.stringConversion;
    const kind = target?.exprKind;
    const namespace = kind?.case === 'identExpr' ? (kind.value as { readonly name: string }).name : '';
    if (namespace === 're' && RE_FUNCTIONS.has(name)) return true;
    if (!this.options.stringFunctions) return false;
    return STRING_FUNCTIONS.has(name) || (namespace === 'strings' && name === 'quote');
  }

  private list({ elements, optionalIndices }: Readonly<Record<string, unknown>>, depth: number) {
    if ((optionalIndices as unknown[]).length > 0) throw new ExpressionError(NO_OPTIONALS);
    return { elements: (elements as ExpressionSource[]).map((one) => this.node(one, depth + 1)), optionalIndices: [] };
  }

  private struct({ messageName, entries }: Readonly<Record<string, unknown>>, depth: number) {
    if (messageName !== '')
      throw new ExpressionError(`messages are not supported by sekisho in expressions: '${String(messageName)}'`);
    const made = (entries as Entry[]).map(({ keyKind, value, optionalEntry }) => {
      if (optionalEntry === true) throw new ExpressionError(NO_OPTIONALS);
      const key = this.node(keyKind.value as ExpressionSource, depth + 1);
      return {
        id: 0n,
        keyKind: { case: 'mapKey' as const, value: key },
        value: this.node(value, depth + 1),
        optionalEntry: false,
      };
    });
    return { messageName: '', entries: made };
  }
}

interface Entry {
  readonly keyKind: { readonly case: string | undefined; readonly value?: unknown };
  readonly value?: ExpressionSource;
  readonly optionalEntry?: boolean;
}

const NO_OPTIONALS = 'optional values are not supported in expressions';

function known(name: string): void {
  if (UNKNOWN_ATTRIBUTES.has(name)) throw new ExpressionError(`attribute '${name}' is not supported by sekisho`);
}

function constantOf({ constantKind }: Readonly<Record<string, unknown>>): ConstantData {
  const kind = constantKind as { readonly case: string | undefined; readonly value?: unknown } | undefined;
  switch (kind?.case) {
    case 'nullValue':
      return { case: 'nullValue', value: 0 };
    case 'boolValue':
      return { case: 'boolValue', value: kind.value as boolean };
    case 'int64Value':
    case 'uint64Value':
      return { case: kind.case, value: kind.value as bigint };
    case 'doubleValue':
      return { case: 'doubleValue', value: kind.value as number };
    case 'stringValue':
      return { case: 'stringValue', value: toBytes(kind.value as string) };
    case 'bytesValue':
      return { case: 'bytesValue', value: kind.value as Uint8Array };
    default:
      throw new ExpressionError('constants of this kind are not supported by sekisho; call duration() or timestamp()');
  }
}

/** Whether the expression names this attribute first: `response` of `response.code`. */
export function names(node: ExpressionNode, attribute: string): boolean {
  const { exprKind: kind } = node;
  const within = (one: ExpressionNode): boolean => names(one, attribute);
  switch (kind.case) {
    case 'constExpr':
      return false;
    case 'identExpr':
      return kind.value.name === attribute;
    case 'selectExpr':
      return within(kind.value.operand);
    case 'callExpr':
      return (kind.value.target !== undefined && within(kind.value.target)) || kind.value.args.some(within);
    case 'listExpr':
      return kind.value.elements.some(within);
    case 'structExpr':
      return kind.value.entries.some(({ keyKind, value }) => {
        return within(value) || (keyKind.case === 'mapKey' && within(keyKind.value));
      });
  }
}
