import type { Formatter } from './formatter.ts';
import type { LineBytes } from '../access-log/line-bytes.ts';
import type { Outcome } from '../outcome.ts';
import { escapeJson, quoteJson, toBytes } from './byte-string.ts';
import { makeOperator } from './commands.ts';
import { processContext, type FormatContext } from './format-context.ts';
import { FormatError } from './format-error.ts';
import { requestWithoutQuery } from './header-operator.ts';
import { LineWriter } from './line-writer.ts';
import { JsonValue, Literal, Truncated, type Operator } from './operator.ts';
import { verifySyntax, type Command } from './command-syntax.ts';

/** Formatter extensions that are configured with a format. */
export type FormatExtension = 'req_without_query';

export interface FormatOptions {
  /** `omit_empty_values`: a missing value is nothing instead of `-`. */
  readonly omitEmptyValues?: boolean;
  readonly extensions?: readonly FormatExtension[];
  readonly context?: FormatContext;
}

/** Any JSON that a `json_format` may hold. */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [key: string]: JsonTemplate };

/**
 * Compiles a format as configured. Throws on one that `formatProblem` would have refused: the main thread asks it while
 * decoding, so that a worker only gets formats that compile.
 */
export function compileFormat(format: string, options: FormatOptions = {}): Formatter {
  const operators = parseFormat(format, options);
  return new LineFormatter(operators, options.omitEmptyValues === true ? '' : '-');
}

/** Compiles a `json_format`: one line of JSON with its line end, keys sorted, values typed. */
export function compileJsonFormat(template: JsonTemplate, options: FormatOptions = {}): Formatter {
  return new LineFormatter(parseJson(template, options), '');
}

/** Why Envoy would refuse the format; null: it would not. */
export function formatProblem(format: string, options: FormatOptions = {}): string | null {
  return problemOf(() => parseFormat(format, options));
}

/** As `formatProblem`, for a `json_format`. */
export function jsonFormatProblem(template: JsonTemplate, options: FormatOptions = {}): string | null {
  return problemOf(() => parseJson(template, options));
}

function problemOf(parse: () => unknown): string | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

class LineFormatter implements Formatter {
  private readonly operators: readonly Operator[];
  private readonly empty: string;
  /** Made when a log is first written: most formats are of header values. */
  private writer: LineWriter | null;

  constructor(operators: readonly Operator[], empty: string) {
    this.operators = operators;
    this.empty = empty;
    this.writer = null;
  }

  format(outcome: Outcome): string {
    const { operators, empty } = this;
    let line = '';
    for (let i = 0; i < operators.length; i++) {
      const text = operators[i].text(outcome);
      line += text === null ? empty : text;
    }
    return line;
  }

  write(outcome: Outcome, line: LineBytes): void {
    this.writer ??= new LineWriter(this.operators, this.empty);
    this.writer.write(outcome, line);
  }
}

/** `%COMMAND(PARAMETER):LENGTH%`. */
const COMMAND = /%([A-Z0-9_]+)(?:\((.*?)\))?(?::([0-9]+))?%/y;

function parseFormat(format: string, options: FormatOptions): Operator[] {
  const operators: Operator[] = [];
  let literal = '';
  const flush = () => {
    if (literal !== '') operators.push(new Literal(toBytes(literal)));
    literal = '';
  };
  for (let at = 0; at < format.length;) {
    if (format[at] !== '%') {
      const next = format.indexOf('%', at);
      literal += format.slice(at, next < 0 ? undefined : next);
      at = next < 0 ? format.length : next;
    } else if (format[at + 1] === '%') {
      literal += '%';
      at += 2;
    } else {
      flush();
      COMMAND.lastIndex = at;
      const match = COMMAND.exec(format);
      if (match === null)
        throw new FormatError(`Incorrect configuration: ${format}. Couldn't find valid command at position ${at}`);
      operators.push(operatorFor(match, options));
      at += match[0].length;
    }
  }
  if (literal !== '' || format === '') operators.push(new Literal(toBytes(literal)));
  return operators;
}

function operatorFor(match: RegExpExecArray, options: FormatOptions): Operator {
  const [, name, parameter = '', digits] = match as unknown as [string, string, string?, string?];
  const length = digits === undefined ? null : Number(digits);
  const extension = options.extensions?.includes('req_without_query') === true && name === 'REQ_WITHOUT_QUERY';
  const operator = extension
    ? withoutQuery(parameter, length)
    : makeOperator(name, parameter, length, options.context ?? processContext());
  if (operator === null) throw new FormatError(`Not supported field in StreamInfo: ${name}`);
  return operator;
}

const WITHOUT_QUERY: Command = {
  parameter: 'optional',
  takesLength: true,
  make: (parameter) => requestWithoutQuery(parameter),
};

function withoutQuery(parameter: string, length: number | null): Operator {
  verifySyntax('REQ_WITHOUT_QUERY', WITHOUT_QUERY, parameter, length);
  const operator = requestWithoutQuery(parameter);
  return length === null ? operator : new Truncated(operator, length);
}

/** JSON pieces between the operators are joined while compiling, so that a line is as few pieces as can be. */
function parseJson(template: JsonTemplate, options: FormatOptions): Operator[] {
  const pieces: (string | Operator)[] = [];
  writeJson(template, options, pieces);
  pieces.push('\n');
  const operators: Operator[] = [];
  let literal = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      literal += piece;
      continue;
    }
    if (literal !== '') operators.push(new Literal(literal));
    literal = '';
    operators.push(piece);
  }
  if (literal !== '') operators.push(new Literal(literal));
  return operators;
}

function writeJson(template: JsonTemplate, options: FormatOptions, pieces: (string | Operator)[]): void {
  if (typeof template === 'string') {
    pieces.push(template.includes('%') ? jsonString(template, options) : quoteJson(toBytes(template)));
  } else if (isList(template)) {
    pieces.push('[');
    template.forEach((item, i) => {
      if (i > 0) pieces.push(',');
      writeJson(item, options, pieces);
    });
    pieces.push(']');
  } else if (typeof template === 'object' && template !== null) {
    pieces.push('{');
    Object.keys(template)
      .sort()
      .forEach((key, i) => {
        pieces.push(`${i > 0 ? ',' : ''}${quoteJson(toBytes(key))}:`);
        writeJson(template[key], options, pieces);
      });
    pieces.push('}');
  } else {
    pieces.push(JSON.stringify(template));
  }
}

function isList(template: JsonTemplate): template is readonly JsonTemplate[] {
  return Array.isArray(template);
}

/** One operator keeps its type; several, or text beside it, make a string. */
function jsonString(format: string, options: FormatOptions): Operator {
  const operators = parseFormat(format, options);
  return operators.length === 1
    ? new JsonValue(operators[0])
    : new JsonText(operators, options.omitEmptyValues === true ? '' : '-');
}

class JsonText implements Operator {
  private readonly operators: readonly Operator[];
  private readonly empty: string;

  constructor(operators: readonly Operator[], empty: string) {
    this.operators = operators;
    this.empty = empty;
  }

  text(outcome: Outcome): string {
    let inside = '';
    for (const operator of this.operators) {
      const text = operator.text(outcome);
      inside += text === null ? this.empty : escapeJson(text);
    }
    return `"${inside}"`;
  }

  json(outcome: Outcome): string {
    return this.text(outcome);
  }
}
