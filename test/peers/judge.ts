import { setTimeout as sleep } from 'node:timers/promises';
import { differences, factsOf, type Difference, type Facts } from './observation.ts';
import type { ProxyKind } from './proxy.ts';
import type { Group, Row } from './row.ts';
import { World, type Observation } from './world.ts';

export interface Verdict {
  readonly row: Row;
  readonly differences: readonly Difference[];
  /** Beginnings of paths that the row lists as different, and that are equal. */
  readonly stale: readonly string[];
  /** How often it was asked. */
  readonly tries: number;
  /** Paths that differed, and that chance decides in the left proxy as well. */
  chance: readonly string[];
  readonly left: Facts;
  readonly right: Facts;
}

/** How long counters may lag behind the access log before a difference in them counts. */
const statsGraceMs = 250;

/** A row that was not as it should be is believed to be so after all if it is this often in a row. */
const convincing = 3;
const triesMax = 8;

/** An asking that came to no verdict. */
class Failure {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

/** Two proxies with one configuration, asked the same. */
export class Judge {
  private readonly group: Group;
  private readonly left: World;
  private readonly right: World;

  private constructor(group: Group, left: World, right: World) {
    this.group = group;
    this.left = left;
    this.right = right;
  }

  static async open(group: Group, left: ProxyKind, right: ProxyKind): Promise<Judge> {
    const worlds = await Promise.allSettled([World.open(left, group), World.open(right, group)]);
    const failed = worlds.find((world) => world.status === 'rejected');
    if (failed === undefined) {
      const [first, second] = worlds.map((world) => (world as PromiseFulfilledResult<World>).value);
      return new Judge(group, first, second);
    }
    for (const world of worlds) if (world.status === 'fulfilled') await world.value.close();
    throw failed.reason;
  }

  async close(): Promise<void> {
    await Promise.all([this.left.close(), this.right.close()]);
  }

  /** What a proxy that has died said last. */
  lastWords(): string {
    return [this.left, this.right].map((world) => world.lastWords()).join('');
  }

  /**
   * What differs is asked again, because rows name short times and the machine may be busy: the difference counts
   * unless it then stays away `convincing` times in a row. What a proxy does one time in four is found that way. A
   * fact that the left proxy itself gives now so, now otherwise is no difference where the right one gives what the left
   * one gave as well.
   */
  async compare(row: Row): Promise<Verdict> {
    const first = await this.attempt(row);
    if (isAsListed(first)) return first;
    const outcomes: (Verdict | Failure)[] = [first];
    while (outcomes.length < triesMax && !lastAreAsListed(outcomes)) outcomes.push(await this.attempt(row));
    const last = lastAreAsListed(outcomes)
      ? outcomes.at(-1)
      : outcomes.findLast((outcome): boolean => !isAsListed(outcome));
    const found = last ?? first;
    if (found instanceof Failure) throw found.cause;
    return { ...withoutChance(found, outcomes), tries: outcomes.length };
  }

  /** A proxy that does not come to what the row awaits is as good as a difference. */
  private async attempt(row: Row): Promise<Verdict | Failure> {
    try {
      return await this.ask(row);
    } catch (error) {
      return new Failure(error);
    }
  }

  private async ask(row: Row): Promise<Verdict> {
    const both = [this.left.observe(row), this.right.observe(row)] as const;
    // Neither is asked again while it still answers.
    await Promise.allSettled(both);
    const [left, right] = await Promise.all(both);
    const verdict = this.verdict(row, left, right);
    if (!verdict.differences.some(({ path }) => path.startsWith('stats.'))) return verdict;
    await sleep(statsGraceMs);
    [left.stats, right.stats] = await Promise.all([this.left.statsDelta(), this.right.statsDelta()]);
    return this.verdict(row, left, right);
  }

  private verdict(row: Row, left: Observation, right: Observation): Verdict {
    const leftFacts = factsOf(left, this.left, this.group, row);
    const rightFacts = factsOf(right, this.right, this.group, row);
    const found = differences(leftFacts, rightFacts, row);
    for (const [world, { log }] of [
      [this.left, left],
      [this.right, right],
    ] as const) {
      const expected = row.logged?.[world.kind.name];
      if (expected === undefined || summary(log) === expected) continue;
      found.push({ path: `table says of ${world.kind.name}`, left: expected, right: summary(log), reason: undefined });
    }
    const stale = Object.keys(row.differs ?? {}).filter((prefix) => !found.some(({ path }) => path.startsWith(prefix)));
    return { row, differences: found, stale, tries: 1, chance: [], left: leftFacts, right: rightFacts };
  }
}

/** Exactly the listed differences. */
function isAsListed(outcome: Verdict | Failure): outcome is Verdict {
  if (outcome instanceof Failure) return false;
  return outcome.stale.length === 0 && outcome.differences.every(({ reason }) => reason !== undefined);
}

function lastAreAsListed(outcomes: readonly (Verdict | Failure)[]): boolean {
  return outcomes.length >= convincing && outcomes.slice(-convincing).every(isAsListed);
}

/** A verdict without what chance decides in the left proxy too; as it is unless that explains every asking. */
function withoutChance(verdict: Verdict, outcomes: readonly (Verdict | Failure)[]): Verdict {
  const verdicts = outcomes.filter((outcome): outcome is Verdict => !(outcome instanceof Failure));
  if (verdicts.length < outcomes.length) return verdict;
  const chance = new Set<string>();
  for (const { differences: found } of verdicts) {
    for (const { path, right, reason } of found) {
      if (reason !== undefined) continue;
      if (!verdicts.some(({ left }) => left.get(path) === right)) return verdict;
      chance.add(path);
    }
  }
  const open = verdict.differences.filter(({ path, reason }) => reason !== undefined || !chance.has(path));
  return { ...verdict, differences: open, chance: [...chance] };
}

/** The log of a row as its table writes it: a request that never was whole has the status 0, or no line at all. */
function summary(log: readonly string[]): string {
  return log.length === 0 ? '-' : log.map((line) => (line.startsWith('0 ') ? '-' : line)).join(', ');
}

/** The differences that are not accepted, for people. */
export function explain(verdict: Verdict, leftName: string, rightName: string): string {
  const width = Math.max(leftName.length, rightName.length);
  const line = (name: string, value: string | undefined) =>
    `      ${name.padEnd(width)}  ${value === undefined ? '(nothing)' : JSON.stringify(value)}`;
  return verdict.differences
    .filter(({ reason }) => reason === undefined)
    .map(({ path, left, right }) => `    ${path}\n${line(leftName, left)}\n${line(rightName, right)}`)
    .join('\n');
}
