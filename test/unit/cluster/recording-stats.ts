import type { Counter, Gauge, Histogram, StatsScope } from '../../../src/observe/stats/stats.ts';

class Recorded implements Counter, Gauge, Histogram {
  value = 0;
  readonly records: number[] = [];

  inc(): void {
    this.value++;
  }

  dec(): void {
    this.value--;
  }

  add(amount: number): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }

  record(value: number): void {
    this.records.push(value);
  }
}

/** A scope that a test can read. */
export class RecordingStats implements StatsScope {
  private readonly prefix: string;
  private readonly all: Map<string, Recorded>;

  constructor(prefix = '', all = new Map<string, Recorded>()) {
    this.prefix = prefix;
    this.all = all;
  }

  counter(name: string): Recorded {
    const full = this.prefix + name;
    let stat = this.all.get(full);
    if (stat === undefined) {
      stat = new Recorded();
      this.all.set(full, stat);
    }
    return stat;
  }

  gauge(name: string): Recorded {
    return this.counter(name);
  }

  histogram(name: string): Recorded {
    return this.counter(name);
  }

  scope(prefix: string): RecordingStats {
    return new RecordingStats(`${this.prefix}${prefix}.`, this.all);
  }

  /** Every stat that is not zero, without the prefix. */
  read(prefix = 'cluster.c.'): Record<string, number> {
    const read: Record<string, number> = {};
    for (const [name, { value }] of [...this.all].sort(([a], [b]) => (a < b ? -1 : 1)))
      if (value !== 0 && name.startsWith(prefix)) read[name.slice(prefix.length)] = value;
    return read;
  }

  records(name: string): number[] {
    return this.all.get(name)?.records ?? [];
  }

  get names(): string[] {
    return [...this.all.keys()];
  }
}
