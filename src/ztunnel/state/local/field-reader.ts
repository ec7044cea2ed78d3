/** What is wrong with a local configuration, and where. */
export class LocalConfigError extends Error {}

/** Reads the fields of one object; a field that nobody has read is one that does not exist. */
export class FieldReader {
  private readonly object: Readonly<Record<string, unknown>>;
  private readonly path: string;
  private readonly read: Set<string>;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new LocalConfigError(`${path}: expected an object`);
    this.object = value as Readonly<Record<string, unknown>>;
    this.path = path;
    this.read = new Set();
  }

  text(name: string, otherwise = ''): string {
    const value = this.take(name);
    if (value === undefined || value === null) return otherwise;
    return typeof value === 'string' ? value : this.fail(name, 'expected a text');
  }

  requiredText(name: string): string {
    return this.has(name) ? this.text(name) : this.fail(name, 'is missing');
  }

  number(name: string, otherwise: number): number {
    const value = this.take(name);
    if (value === undefined || value === null) return otherwise;
    return isCount(value) ? value : this.fail(name, 'expected a number');
  }

  boolean(name: string, otherwise = false): boolean {
    const value = this.take(name);
    if (value === undefined || value === null) return otherwise;
    return typeof value === 'boolean' ? value : this.fail(name, 'expected true or false');
  }

  /** One of these; absent: the first. */
  choice<const Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const found = this.text(name, choices[0]);
    const choice = choices.find((one) => one === found);
    return choice ?? this.fail(name, `unknown value '${found}', expected one of ${choices.join(', ')}`);
  }

  list<Item>(name: string, item: (value: unknown, path: string) => Item): Item[] {
    const value = this.take(name);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return this.fail(name, 'expected a list');
    return value.map((one, index) => item(one, `${this.path}.${name}[${index}]`));
  }

  requiredList<Item>(name: string, item: (value: unknown, path: string) => Item): Item[] {
    return this.has(name) ? this.list(name, item) : this.fail(name, 'is missing');
  }

  texts(name: string): string[] {
    return this.list(name, (value, path) => {
      if (typeof value === 'string') return value;
      throw new LocalConfigError(`${path}: expected a text`);
    });
  }

  numbers(name: string): number[] {
    return this.list(name, (value, path) => {
      if (isCount(value)) return value;
      throw new LocalConfigError(`${path}: expected a number`);
    });
  }

  /** Of whatever keys. */
  entries<Value>(name: string, entry: (value: unknown, path: string) => Value): Record<string, Value> {
    const value = this.take(name);
    if (value === undefined || value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) return this.fail(name, 'expected an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, entry(one, `${this.path}.${name}.${key}`)]),
    );
  }

  inner(name: string): FieldReader | null {
    const value = this.take(name);
    return value === undefined || value === null ? null : new FieldReader(value, `${this.path}.${name}`);
  }

  has(name: string): boolean {
    return this.object[name] !== undefined;
  }

  /** Refuses fields that were not read. */
  end(): void {
    for (const name of Object.keys(this.object)) if (!this.read.has(name)) this.fail(name, 'unknown field');
  }

  fail(name: string, problem: string): never {
    throw new LocalConfigError(`${this.path}.${name}: ${problem}`);
  }

  private take(name: string): unknown {
    this.read.add(name);
    return this.object[name];
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
