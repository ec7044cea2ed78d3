import { formatProblem, problemToJson } from '../config/format-problem.ts';
import type { Configuration } from '../control/configuration.ts';
import type { CheckInvocation } from './command-line.ts';

/** What `sekisho check` needs from outside. */
export interface CheckEnvironment {
  /** Reads, validates and decodes one file, as serving would. */
  load(path: string, allowUnknown: boolean): Promise<Configuration>;
  /** To standard output. */
  write(text: string): void;
  /** The output is a terminal that shows colours. */
  readonly hasColor: boolean;
}

/** Checks every file and prints all problems of all of them. @returns the exit status: 1 when a file is refused */
export async function check(invocation: CheckInvocation, environment: CheckEnvironment): Promise<0 | 1> {
  const results: CheckedFile[] = [];
  for (const file of invocation.files) {
    const configuration = await environment.load(file, invocation.allowUnknownFields);
    const result = { file, configuration };
    if (invocation.format === 'text') environment.write(textOf(result, environment.hasColor));
    results.push(result);
  }
  if (invocation.format === 'json') environment.write(`${JSON.stringify({ files: results.map(jsonOf) }, null, 2)}\n`);
  return results.some(({ configuration }) => configuration.isRefused) ? 1 : 0;
}

interface CheckedFile {
  readonly file: string;
  readonly configuration: Configuration;
}

function problemsOf(configuration: Configuration) {
  return configuration.isRefused ? configuration.problems : configuration.warnings;
}

function textOf({ file, configuration }: CheckedFile, hasColor: boolean): string {
  const problems = problemsOf(configuration);
  const shown = problems
    .map((problem) => `${formatProblem(problem, configuration.document, { hasColor })}\n\n`)
    .join('');
  if (!configuration.isRefused) return `${shown}configuration '${file}' OK\n`;
  const warnings = problems.filter(({ isWarning }) => isWarning === true).length;
  const errors = problems.length - warnings;
  return `${shown}configuration '${file}' refused: ${count(errors, 'error')}${warnings > 0 ? `, ${count(warnings, 'warning')}` : ''}\n`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function jsonOf({ file, configuration }: CheckedFile) {
  return { file, isRefused: configuration.isRefused, problems: problemsOf(configuration).map(problemToJson) };
}
