/**
 * What is configured alike is built once and shared. Large tables are made from templates: where a thousand routes have
 * the same retry policy, one object instead of a thousand stays in the processor's nearest memory.
 */
export class Alike<Data, Built> {
  private readonly build: (data: Data) => Built;
  private readonly known: Map<string, Built>;

  /** `Built` keeps nothing of the place that it is first built for. */
  constructor(build: (data: Data) => Built) {
    this.build = build;
    this.known = new Map();
  }

  of(data: Data): Built {
    const key = JSON.stringify(data, withBigInts);
    let built = this.known.get(key);
    if (built === undefined) {
      built = this.build(data);
      this.known.set(key, built);
    }
    return built;
  }
}

function withBigInts(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: String(value) } : value;
}
