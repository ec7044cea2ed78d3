/** The variables of the process, by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

const truths = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const falsehoods = ['0', 'f', 'F', 'false', 'FALSE', 'False'];
const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's `strconv.ParseBool`; undefined: neither. */
export function parseBoolean(text: string): boolean | undefined {
  if (truths.includes(text)) return true;
  return falsehoods.includes(text) ? false : undefined;
}

/** Go's `time.ParseDuration` (`1h30m`, `100ms`), in milliseconds; undefined: none. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * unitsMs[unit];
  return text.startsWith('-') ? -sum : sum;
}

/** Reads variables as Istio's agent does: one that cannot be understood has its default, and is complained about. */
export class Environment {
  readonly variables: Variables;
  /** What was wrong with any that was read. */
  readonly complaints: string[];

  constructor(variables: Variables) {
    this.variables = variables;
    this.complaints = [];
  }

  text(name: string, otherwise = ''): string {
    const value = this.variables[name];
    return value === undefined || value === '' ? otherwise : value;
  }

  boolean(name: string, otherwise: boolean): boolean {
    return this.parsed(name, otherwise, parseBoolean, 'true or false');
  }

  /** Null: not set. */
  maybeBoolean(name: string): boolean | null {
    return this.variables[name] === undefined ? null : this.boolean(name, false);
  }

  integer(name: string, otherwise: number): number {
    const parse = (text: string): number | undefined => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined);
    return this.parsed(name, otherwise, parse, 'a whole number');
  }

  number(name: string, otherwise: number): number {
    const parse = (text: string): number | undefined => (Number.isFinite(Number(text)) ? Number(text) : undefined);
    return this.parsed(name, otherwise, parse, 'a number');
  }

  durationMs(name: string, otherwiseMs: number): number {
    return this.parsed(name, otherwiseMs, parseDurationMs, 'a duration, as 5s or 1h30m');
  }

  /** Those whose name begins so, by the rest of it, in the order of the names. */
  withPrefix(prefix: string): [name: string, value: string][] {
    return Object.entries(this.variables)
      .filter((entry): entry is [string, string] => entry[0].startsWith(prefix) && entry[1] !== undefined)
      .map(([name, value]): [string, string] => [name.slice(prefix.length), value])
      .toSorted(([one], [other]) => (one < other ? -1 : 1));
  }

  private parsed<Value>(
    name: string,
    otherwise: Value,
    parse: (text: string) => Value | undefined,
    what: string,
  ): Value {
    const text = this.text(name);
    if (text === '') return otherwise;
    const value = parse(text);
    if (value !== undefined) return value;
    this.complaints.push(`${name} is '${text}', which is not ${what}: ${String(otherwise)} is used`);
    return otherwise;
  }
}
