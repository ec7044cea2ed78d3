/**
 * The peers' table on the command line: every row on a real Envoy and on sekisho, and what differed.
 *
 * `npm run peers -- [text …] [--left envoy] [--right sekisho] [--ignore regex] [--brief] [--show]`
 * Words choose groups and rows whose names hold them all; `--ignore` leaves out paths of observations; `--brief` prints
 * the summary alone, `--show` all that was observed; `--right envoy` compares Envoy with itself, which must find
 * nothing: that proves the rows, not the proxy.
 */
import { parseArgs } from 'node:util';
import { groups } from './all-rows.ts';
import { Judge, explain, type Verdict } from './judge.ts';
import { groupsAtOnce, inLanes } from './lanes.ts';
import { proxyNamed, type ProxyKind } from './proxy.ts';
import type { Group, Row } from './row.ts';

interface Settings {
  readonly left: ProxyKind;
  readonly right: ProxyKind;
  readonly ignore: RegExp | null;
  readonly isBrief: boolean;
  readonly show: boolean;
}

interface Score {
  readonly group: string;
  /** What there is to say of its rows. */
  readonly lines: string[];
  equal: number;
  different: number;
}

/** How often a proxy that died is started again within one group. */
const restartsMax = 3;

/** In how many rows each path differed, with the first such row: where to look first. */
const frequencies = new Map<string, { rows: number; first: string }>();

function chosen(words: readonly string[]): { group: Group; rows: Row[] }[] {
  return groups
    .map((group) => ({
      group,
      rows: group.rows.filter((row) => words.every((word) => `${group.name}: ${row.name}`.includes(word))),
    }))
    .filter(({ rows }) => rows.length > 0);
}

async function judgeGroup(group: Group, rows: readonly Row[], settings: Settings): Promise<Score> {
  const score: Score = { group: group.name, lines: [], equal: 0, different: 0 };
  if (!settings.isBrief) score.lines.push(`\n${group.name}`);
  let judge: Judge | null = null;
  let starts = 0;
  for (const row of rows) {
    try {
      if (judge === null && starts++ > restartsMax) throw new Error('died too often');
      judge ??= await Judge.open(group, settings.left, settings.right);
      const startedAt = performance.now();
      report(group, await judge.compare(row), performance.now() - startedAt, score, settings);
    } catch (error) {
      const message = `${error instanceof Error ? error.message : String(error)}\n${judge?.lastWords() ?? ''}`;
      score.lines.push(`  ✗ ${group.name}: ${row.name}: ${message.trim()}`);
      count('the proxy died or did not start', `${group.name}: ${row.name}`);
      score.different++;
      await judge?.close();
      judge = null;
    }
  }
  await judge?.close();
  return score;
}

function report(group: Group, verdict: Verdict, tookMs: number, score: Score, settings: Settings): void {
  const isOpen = ({ path, reason }: Verdict['differences'][number]) =>
    reason === undefined && !(settings.ignore?.test(path) ?? false);
  const open = verdict.differences.filter(isOpen);
  const accepted = verdict.differences.filter(({ reason }) => reason !== undefined).length;
  const remarks = [
    accepted > 0 ? `${accepted} accepted` : '',
    verdict.tries > 1 ? `asked ${verdict.tries} times` : '',
    tookMs > 1000 ? `${(tookMs / 1000).toFixed(1)} s` : '',
  ];
  for (const { path } of open) count(path.replaceAll(/\d+/g, 'N'), `${group.name}: ${verdict.row.name}`);
  if (open.length === 0) score.equal++;
  else score.different++;
  if (settings.isBrief) return;
  const { lines } = score;
  lines.push(`  ${open.length === 0 ? '✓' : '✗'} ${[verdict.row.name, ...remarks].filter(Boolean).join(', ')}`);
  if (settings.show) for (const [path, value] of verdict.left) lines.push(`      ${path}: ${JSON.stringify(value)}`);
  if (open.length > 0) lines.push(explain({ ...verdict, differences: open }, settings.left.name, settings.right.name));
}

function count(path: string, row: string): void {
  const known = frequencies.get(path);
  if (known === undefined) frequencies.set(path, { rows: 1, first: row });
  else known.rows++;
}

function printSummary(scores: readonly Score[]): void {
  const width = Math.max(...scores.map(({ group }) => group.length));
  console.log('');
  for (const { group, equal, different } of scores) {
    const differing = different > 0 ? `  ${String(different).padStart(3)} different` : '';
    console.log(`  ${group.padEnd(width)}  ${String(equal).padStart(3)} equal${differing}`);
  }
  const common = [...frequencies].toSorted(([, a], [, b]) => b.rows - a.rows).slice(0, 40);
  if (common.length > 0) console.log('\nmost frequent differences, rows and the first of them:');
  for (const [path, { rows, first }] of common) console.log(`  ${String(rows).padStart(4)}  ${path}  (${first})`);
  const equal = scores.reduce((sum, score) => sum + score.equal, 0);
  const different = scores.reduce((sum, score) => sum + score.different, 0);
  console.log(`\n${equal + different} comparisons: ${equal} equal, ${different} different`);
  if (different > 0) process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      left: { type: 'string', default: 'envoy' },
      right: { type: 'string', default: 'sekisho' },
      ignore: { type: 'string' },
      brief: { type: 'boolean', default: false },
      show: { type: 'boolean', default: false },
    },
  });
  const settings: Settings = {
    left: proxyNamed(values.left),
    right: proxyNamed(values.right),
    ignore: values.ignore === undefined ? null : new RegExp(values.ignore),
    isBrief: values.brief,
    show: values.show,
  };
  const reason = settings.left.unavailable() ?? settings.right.unavailable();
  if (reason !== null) {
    console.log(reason);
    return;
  }
  const scores: Score[] = [];
  const judged = inLanes(chosen(positionals), groupsAtOnce, ({ group, rows }) => judgeGroup(group, rows, settings));
  for await (const score of judged) {
    for (const line of score.lines) console.log(line);
    scores.push(score);
  }
  printSummary(scores);
}

await main();
