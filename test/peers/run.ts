/**
 * The peers' table on the command line: every row on a real Envoy and on sekisho, and what differed.
 *
 * `npm run peers -- [text …] [--left envoy] [--right sekisho] [--show] [--rounds 1]`
 * Words choose groups and rows whose names hold them; `--show` prints all that was observed;
 * `--right envoy` compares Envoy with itself, which must find nothing: it proves the rows, not the proxy.
 */
import { parseArgs } from 'node:util';
import { groups } from './all-rows.ts';
import { Judge, explain, type Verdict } from './judge.ts';
import { proxyNamed, type ProxyKind } from './proxy.ts';
import type { Group, Row } from './row.ts';

interface Score {
  readonly group: string;
  equal: number;
  different: number;
  /** Rows by the kind of thing that differed in them. */
  readonly aspects: Map<string, number>;
}

function chosen(words: readonly string[]): { group: Group; rows: Row[] }[] {
  return groups
    .map((group) => ({
      group,
      rows: group.rows.filter((row) => words.every((word) => `${group.name}: ${row.name}`.includes(word))),
    }))
    .filter(({ rows }) => rows.length > 0);
}

async function judgeGroup(
  group: Group,
  rows: readonly Row[],
  left: ProxyKind,
  right: ProxyKind,
  show: boolean,
): Promise<Score> {
  const score: Score = { group: group.name, equal: 0, different: 0, aspects: new Map() };
  console.log(`\n${group.name}`);
  let judge: Judge;
  try {
    judge = await Judge.open(group, left, right);
  } catch (error) {
    console.log(`  ✗ ${error instanceof Error ? error.message : String(error)}`);
    return { ...score, different: rows.length, aspects: new Map([['start', rows.length]]) };
  }
  try {
    for (const row of rows) {
      const startedAt = performance.now();
      const verdict = await judge.compare(row);
      report(verdict, performance.now() - startedAt, score, left.name, right.name, show);
    }
  } finally {
    await judge.close();
  }
  return score;
}

function report(verdict: Verdict, tookMs: number, score: Score, left: string, right: string, show: boolean): void {
  const open = verdict.differences.filter(({ reason }) => reason === undefined);
  const accepted = verdict.differences.length - open.length;
  const remarks = [accepted > 0 ? `${accepted} accepted` : '', tookMs > 1000 ? `${(tookMs / 1000).toFixed(1)} s` : ''];
  console.log(`  ${open.length === 0 ? '✓' : '✗'} ${[verdict.row.name, ...remarks].filter(Boolean).join(', ')}`);
  if (show) for (const [path, value] of verdict.left) console.log(`      ${path}: ${JSON.stringify(value)}`);
  if (open.length === 0) {
    score.equal++;
    return;
  }
  score.different++;
  const aspects = new Set(
    open.map(({ path }) => path.replace(/^(\w+).*?(line|header|body|end)?(\W.*)?$/, '$1 $2').trim()),
  );
  for (const aspect of aspects) score.aspects.set(aspect, (score.aspects.get(aspect) ?? 0) + 1);
  console.log(explain(verdict, left, right));
}

function printScores(scores: readonly Score[]): void {
  const width = Math.max(...scores.map(({ group }) => group.length));
  console.log('');
  for (const { group, equal, different, aspects } of scores) {
    const what = [...aspects].map(([aspect, count]) => `${aspect} ${count}`).join(', ');
    console.log(
      `  ${group.padEnd(width)}  ${String(equal).padStart(3)} equal  ${String(different).padStart(3)} different  ${what}`,
    );
  }
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
      show: { type: 'boolean', default: false },
    },
  });
  const left = proxyNamed(values.left);
  const right = proxyNamed(values.right);
  const reason = left.unavailable() ?? right.unavailable();
  if (reason !== null) {
    console.log(reason);
    return;
  }
  const scores: Score[] = [];
  for (const { group, rows } of chosen(positionals))
    scores.push(await judgeGroup(group, rows, left, right, values.show));
  printScores(scores);
}

await main();
