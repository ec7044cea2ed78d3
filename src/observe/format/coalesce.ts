import type { Outcome } from '../outcome.ts';
import { FormatError } from './format-error.ts';
import { Truncated, type Operator } from './operator.ts';

/** Makes the operator of one command; throws FormatError. */
type CommandParser = (command: string, parameter: string, length: number | null) => Operator | null;

/** `%COALESCE({"operators": [...]})%`: the first of several operators that has a value which is not empty. */
export function coalesce(parameter: string, length: number | null, parse: CommandParser): Operator {
  const entries = operatorsOf(parameter);
  const operators = entries.map((entry, i) => operatorOf(entry, i, parse));
  const first = new Coalesce(operators);
  return length === null ? first : new Truncated(first, length);
}

class Coalesce implements Operator {
  private readonly operators: readonly Operator[];

  constructor(operators: readonly Operator[]) {
    this.operators = operators;
  }

  text(outcome: Outcome): string | null {
    for (const operator of this.operators) {
      const text = operator.text(outcome);
      if (text !== null && text !== '') return text;
    }
    return null;
  }

  json(outcome: Outcome): string {
    for (const operator of this.operators) {
      const json = operator.json(outcome);
      if (json !== 'null' && json !== '""') return json;
    }
    return 'null';
  }
}

function operatorsOf(parameter: string): unknown[] {
  let config: unknown;
  try {
    config = JSON.parse(parameter);
  } catch (error) {
    throw new FormatError(`COALESCE: failed to parse JSON configuration: ${(error as Error).message}`);
  }
  if (typeof config !== 'object' || config === null || !('operators' in config))
    throw new FormatError("COALESCE: JSON configuration must contain 'operators' array");
  const { operators } = config;
  if (!Array.isArray(operators)) throw new FormatError("COALESCE: 'operators' must be an array");
  if (operators.length === 0) throw new FormatError("COALESCE: 'operators' array must not be empty");
  return operators;
}

function operatorOf(entry: unknown, index: number, parse: CommandParser): Operator {
  const fail = (why: string): never => {
    throw new FormatError(`COALESCE: failed to parse operator at index ${index}: ${why}`);
  };
  if (typeof entry === 'string') return parse(entry, '', null) ?? fail(`unknown command: '${entry}'`);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return fail("operator entry must be either a string (command name) or an object with 'command' field");
  const { command, param = '', max_length: length = null } = entry as Record<string, unknown>;
  if (typeof command !== 'string') return fail("operator object must have 'command' field");
  if (typeof param !== 'string') return fail("'param' field must be a string");
  if (length === null) return parse(command, param, null) ?? fail(`unknown command: '${command}'`);
  if (!Number.isInteger(length)) return fail("'max_length' field must be an integer");
  if ((length as number) <= 0) return fail("'max_length' must be a positive integer");
  return parse(command, param, length as number) ?? fail(`unknown command: '${command}'`);
}
