import { Clock, type Timed, type Timers } from '../../../src/core/clock.ts';
import { RequestHead, ResponseHead } from '../../../src/core/head.ts';
import { Headers } from '../../../src/core/headers.ts';
import type { FilterContext, HttpFilter, LocalReply, Stream } from '../../../src/filter/filter.ts';
import { Outcome } from '../../../src/observe/outcome.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../../../src/observe/stats/stats.ts';
import type { Route } from '../../../src/route/route.ts';

/** Timers that a test turns by hand. */
export class ManualTimers implements Timers {
  readonly clock: Clock;
  private readonly timed: Set<Timed>;

  constructor(clock: Clock) {
    this.clock = clock;
    this.timed = new Set();
  }

  schedule(timed: Timed, deadline: number): void {
    timed.deadline = deadline;
    this.timed.add(timed);
  }

  cancel(timed: Timed): void {
    timed.deadline = Infinity;
    this.timed.delete(timed);
  }

  get size(): number {
    return this.timed.size;
  }

  /** Lets time pass and ticks whatever became due, in order. */
  pass(ms: number): void {
    const end = this.clock.now + ms;
    for (;;) {
      const next = [...this.timed].toSorted((a, b) => a.deadline - b.deadline)[0];
      if (next === undefined || next.deadline > end) break;
      this.clock.now = Math.max(this.clock.now, next.deadline);
      this.cancel(next);
      next.tick(this.clock.now);
    }
    this.clock.now = end;
  }
}

export class TestStats implements StatsScope {
  readonly values: Map<string, number>;
  private readonly prefix: string;

  constructor(prefix = '', values = new Map<string, number>()) {
    this.prefix = prefix;
    this.values = values;
  }

  counter(name: string): Counter {
    return this.gauge(name);
  }

  gauge(name: string): Gauge {
    const key = this.prefix + name;
    const add = (amount: number) => void this.values.set(key, (this.values.get(key) ?? 0) + amount);
    return { inc: () => add(1), dec: () => add(-1), add, set: (value) => void this.values.set(key, value) };
  }

  histogram(): Histogram {
    return { record: () => {} };
  }

  scope(prefix: string): StatsScope {
    return new TestStats(`${this.prefix}${prefix}.`, this.values);
  }

  /** Those that are not zero. */
  get used(): Record<string, number> {
    return Object.fromEntries([...this.values].filter(([, value]) => value !== 0));
  }
}

export interface TestContext extends FilterContext {
  readonly stats: TestStats;
  readonly timers: ManualTimers;
  /** What `random()` answers from now on. */
  dice: number;
  readonly runtimeNumbers: Map<string, number>;
}

export function filterContext(filterName = 'filter'): TestContext {
  const clock = new Clock();
  const runtimeNumbers = new Map<string, number>();
  const context: TestContext = {
    filterName,
    stats: new TestStats(),
    clock,
    timers: new ManualTimers(clock),
    dice: 0.5,
    runtimeNumbers,
    random: () => context.dice,
    runtime: {
      number: (key, otherwise) => runtimeNumbers.get(key) ?? otherwise,
      fraction: (key, numerator, denominator, random) =>
        random < (runtimeNumbers.has(key) ? runtimeNumbers.get(key)! / 100 : numerator / denominator),
    },
    localNode: { cluster: 'local', id: 'node' },
  };
  return context;
}

/** A stream that writes down what a filter does with it. */
export class TestStream implements Stream {
  readonly outcome: Outcome;
  readonly requestHead: RequestHead;
  responseHead: ResponseHead | null;
  route: Route | null;
  clusterStats: TestStats | null;
  readonly random: number;
  readonly clock: Clock;
  readonly timers: ManualTimers;
  readonly bufferedRequestBody: readonly Uint8Array[];
  bufferLimit: number;
  requestBytesMax: number;
  configs: readonly unknown[];
  readonly events: string[];
  readonly replies: LocalReply[];

  constructor(context: TestContext, request: RequestHead) {
    this.outcome = new Outcome();
    this.outcome.requestHead = request;
    this.requestHead = request;
    this.responseHead = null;
    this.route = forwardTo('up');
    this.clusterStats = new TestStats();
    this.random = 0.5;
    this.clock = context.clock;
    this.timers = context.timers;
    this.bufferedRequestBody = [];
    this.bufferLimit = 0;
    this.requestBytesMax = -1;
    this.configs = [];
    this.events = [];
    this.replies = [];
  }

  clearRoute(): void {
    this.events.push('clear route');
  }

  perFilterConfig(): unknown {
    return this.configs.at(-1);
  }

  perFilterConfigs(): readonly unknown[] {
    return this.configs;
  }

  resumeRequest(_filter: HttpFilter): void {
    this.events.push('resume request');
  }

  resumeResponse(_filter: HttpFilter): void {
    this.events.push('resume response');
  }

  injectRequestData(_filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.events.push(`request data ${chunk.length}${end ? ' end' : ''}`);
  }

  injectResponseData(_filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.events.push(`data ${chunk.length}${end ? ' end' : ''}`);
  }

  onResponseAboveHighWatermark(): void {
    this.events.push('above');
  }

  onResponseBelowLowWatermark(): void {
    this.events.push('below');
  }

  reply(reply: LocalReply): void {
    this.outcome.flags |= reply.flags ?? 0;
    this.replies.push(reply);
  }
}

export function request(
  headers: readonly (readonly [string, string])[] = [],
  changes: { method?: string; path?: string } = {},
): RequestHead {
  return new RequestHead(changes.method ?? 'GET', 'h.test', changes.path ?? '/', 11, Headers.of(...headers));
}

export function response(headers: readonly (readonly [string, string])[] = []): ResponseHead {
  return new ResponseHead(200, Headers.of(...headers));
}

export function lines(headers: Headers): string[] {
  return headers.names.map((name, i) => `${name}: ${headers.values[i]}`);
}

/** The little that filters look at of a route. */
export function forwardTo(cluster: string): Route {
  return { action: { kind: 'forward', cluster: () => ({ name: cluster }) } } as unknown as Route;
}

export function directRoute(): Route {
  return { action: { kind: 'direct', status: 200, body: '' } } as unknown as Route;
}
