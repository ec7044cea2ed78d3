/**
 * Envoy's own example configurations with a real Envoy's verdict on each: what Envoy accepts is accepted here too, or
 * refused by the name of the field or extension that is not supported yet; what Envoy refuses is refused. Anything else
 * is a defect.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAboutSupport } from '../../src/core/rejection.ts';
import { loadFile } from '../../src/serve.ts';
import { repository } from './binaries.ts';

const folder = join(process.env.SEKISHO_SHARED ?? join(repository, '../shared'), 'fixtures/envoy-configs');
const isHere = existsSync(folder);
if (!isHere) console.log(`skipped: no ${folder} (set SEKISHO_SHARED to where the fixtures are)`);

/** Files that are refused here for what is said there, on purpose: `docs/differences.md` has the reason. */
const exempt: Readonly<Record<string, string>> = {
  'configs/proxy_protocol.yaml': 'at least the router is needed, as the last filter',
};

interface Example {
  readonly file: string;
  readonly isAccepted: boolean;
}

function examples(): Example[] {
  const [, ...lines] = readFileSync(join(folder, 'envoy-1.39.3.tsv'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [file, verdict] = line.split('\t');
    return { file: file, isAccepted: verdict === 'accepted' };
  });
}

type Verdict = 'accepted' | 'unsupported' | 'wrong';

/** How many files each unsupported thing stands in the way of. */
const missing = new Map<string, number>();

async function judge(file: string): Promise<{ verdict: Verdict; reasons: string[] }> {
  const configuration = await loadFile(join(folder, file), false);
  if (!configuration.isRefused) return { verdict: 'accepted', reasons: [] };
  const errors = configuration.problems.filter(({ isWarning }) => isWarning !== true);
  const others = errors.filter((problem) => !isAboutSupport(problem) && problem.message !== exempt[file]);
  const [verdict, reasons] = others.length === 0 ? (['unsupported', errors] as const) : (['wrong', others] as const);
  return { verdict, reasons: reasons.map(({ message }) => message) };
}

test.skipIf(!isHere)('what Envoy accepts is accepted, or refused by name', async () => {
  const wrong: string[] = [];
  const score = { accepted: 0, unsupported: 0 };
  const accepted = examples().filter(({ isAccepted }) => isAccepted);
  for (const { file } of accepted) {
    const { verdict, reasons } = await judge(file);
    if (verdict === 'wrong') wrong.push(`${file}: ${reasons.join('; ')}`);
    else score[verdict]++;
    for (const reason of verdict === 'unsupported' ? new Set(reasons) : [])
      missing.set(reason, (missing.get(reason) ?? 0) + 1);
  }
  console.log(
    `of ${accepted.length} example configurations that Envoy accepts, ${score.accepted} are accepted and ` +
      `${score.unsupported} refused by the name of what is not supported yet; most often:`,
  );
  const often = [...missing].toSorted(([, a], [, b]) => b - a).slice(0, 12);
  for (const [reason, files] of often) console.log(`${String(files).padStart(4)}  ${reason}`);
  expect(wrong).toEqual([]);
});

test.skipIf(!isHere)('what Envoy refuses is refused', async () => {
  const accepted: string[] = [];
  for (const { file, isAccepted } of examples())
    if (!isAccepted && (await judge(file)).verdict === 'accepted') accepted.push(file);
  expect(accepted).toEqual([]);
});

test.skipIf(!isHere)('every problem has a place, and is said once', async () => {
  const wrong: string[] = [];
  for (const { file } of examples()) {
    const configuration = await loadFile(join(folder, file), false);
    const problems = configuration.isRefused ? configuration.problems : configuration.warnings;
    const said = problems.map(({ line, column, path, message }) => `${line}:${column} ${path} ${message}`);
    if (new Set(said).size < said.length || problems.some(({ line, column }) => !(line > 0 && column > 0)))
      wrong.push(`${file}: ${said.join('; ')}`);
  }
  expect(wrong).toEqual([]);
});
