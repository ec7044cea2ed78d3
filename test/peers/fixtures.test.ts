/**
 * Envoy's own example configurations with a real Envoy's verdict on each: what Envoy accepts is accepted here too, or
 * refused by the name of the field or extension that is not supported yet; what Envoy refuses is refused. Anything else
 * is a defect.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Problem } from '../../src/config/problem.ts';
import { isAboutSupport } from '../../src/core/rejection.ts';
import { loadFile } from '../../src/serve.ts';
import { repository } from './binaries.ts';

const folder = join(process.env.SEKISHO_SHARED ?? join(repository, '../shared'), 'fixtures/envoy-configs');
const isHere = existsSync(folder);
if (!isHere) console.log(`skipped: no ${folder} (set SEKISHO_SHARED to where the fixtures are)`);

/** So many of the files that Envoy accepts are accepted here. It may only rise; the test says when it has. */
const acceptedMin = 71;

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

/** An extension by its type; a field with what it is a field of, since its own name may stand in many messages. */
function nameOf({ message, path }: Problem): string {
  const field = /^field '(\w+)' is not supported by sekisho$/.exec(message)?.[1];
  const type = /of type '([\w.]+)' is not supported by sekisho$/.exec(message)?.[1];
  if (type !== undefined) return `type ${type}`;
  if (field === undefined) return message;
  const steps = path.replaceAll(/\[[^\]]*\]/g, '').split('.');
  return `field ${steps.slice(-2).join('.')}`;
}

type Verdict = 'accepted' | 'unsupported' | 'wrong';

/** The files that each unsupported thing stands in the way of; how many of them it is the only thing for. */
const missing = new Map<string, { files: number; alone: number }>();

async function judge(file: string): Promise<{ verdict: Verdict; reasons: string[] }> {
  const configuration = await loadFile(join(folder, file), false);
  if (!configuration.isRefused) return { verdict: 'accepted', reasons: [] };
  const errors = configuration.problems.filter(({ isWarning }) => isWarning !== true);
  const others = errors.filter((problem) => !isAboutSupport(problem) && problem.message !== exempt[file]);
  const [verdict, reasons] = others.length === 0 ? (['unsupported', errors] as const) : (['wrong', others] as const);
  return { verdict, reasons: [...new Set(reasons.map(nameOf))] };
}

const pad = (count: number): string => String(count).padStart(5);

test.skipIf(!isHere)('what Envoy accepts is accepted, or refused by name', async () => {
  const wrong: string[] = [];
  const score = { accepted: 0, unsupported: 0 };
  const accepted = examples().filter(({ isAccepted }) => isAccepted);
  for (const { file } of accepted) {
    const { verdict, reasons } = await judge(file);
    if (verdict === 'wrong') wrong.push(`${file}: ${reasons.join('; ')}`);
    else score[verdict]++;
    if (verdict !== 'unsupported') continue;
    for (const reason of reasons) {
      const { files, alone } = missing.get(reason) ?? { files: 0, alone: 0 };
      missing.set(reason, { files: files + 1, alone: alone + (reasons.length === 1 ? 1 : 0) });
    }
  }
  const often = [...missing].toSorted(([, a], [, b]) => b.files - a.files || b.alone - a.alone);
  console.log(
    [
      `of ${accepted.length} example configurations that Envoy accepts, ${score.accepted} are accepted and ` +
        `${score.unsupported} refused by the name of what is not supported yet`,
      'files  alone',
      ...often.map(([name, { files, alone }]) => `${pad(files)} ${pad(alone)}  ${name}`),
    ].join('\n'),
  );
  expect(wrong).toEqual([]);
  expect(score.accepted).toBeGreaterThanOrEqual(acceptedMin);
  if (score.accepted > acceptedMin) console.log(`acceptedMin may be ${score.accepted} now`);
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
