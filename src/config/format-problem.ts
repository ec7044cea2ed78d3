import type { styleText } from 'node:util';
import type { ConfigDocument } from './document.ts';
import { hideSecrets } from './hidden-text.ts';
import { lineStarts } from './place.ts';
import type { Problem } from './problem.ts';

export interface ProblemStyle {
  readonly hasColor: boolean;
}

/** For people: the place, the sentence, the line of the text with what is wrong underlined, and the near name. */
export function formatProblem(problem: Problem, document: ConfigDocument, { hasColor }: ProblemStyle): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    hasColor ? process.getBuiltinModule('node:util').styleText(style, text, { validateStream: false }) : text;
  const kind = problem.isWarning ? paint('yellow', 'warning') : paint('red', 'error');
  const where = paint('bold', `${problem.file}:${problem.line}:${problem.column}`);
  const lines = [`${where}: ${kind}: ${problem.message}`];
  if (problem.path !== '') lines.push(`  ${paint('dim', 'at')} ${problem.path}`);
  const line = sourceLine(problem, document);
  if (line !== null) {
    const gutter = String(problem.line).padStart(5);
    // Tabs stay tabs in front of the mark, so that it stands under what it marks.
    const before = line.slice(0, problem.column - 1).replaceAll(/[^\t]/g, ' ');
    lines.push(`${paint('dim', `${gutter} |`)} ${line}`);
    lines.push(`${paint('dim', '      |')} ${before}${paint('red', '^'.repeat(problem.length))}`);
  }
  if (problem.suggestion !== undefined) lines.push(`  did you mean ${paint('green', problem.suggestion)}?`);
  return lines.join('\n');
}

function sourceLine(problem: Problem, document: ConfigDocument): string | null {
  const source = [document, document.override].find((one) => one?.path === problem.file);
  if (source === undefined || source === null || source.text === '') return null;
  const starts = lineStarts(source);
  const start = starts[problem.line - 1];
  const written = source.text.slice(start, starts[problem.line] ?? source.text.length).replace(/\r?\n$/, '');
  const line = hideSecrets(written, start, source);
  return line.length <= 200 || problem.column > 150
    ? line.slice(0, Math.max(200, problem.column + 50))
    : line.slice(0, 200);
}

/** For machines: one object for each problem, with only what is known. */
export function problemToJson(problem: Problem): Record<string, string | number> {
  const { file, line, column, path, message, found, allowed, suggestion, isWarning } = problem;
  const severity = isWarning ? 'warning' : 'error';
  return {
    file,
    line,
    column,
    severity,
    path,
    message,
    ...(found === undefined ? {} : { found }),
    ...(allowed === undefined ? {} : { allowed }),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
