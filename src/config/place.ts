import type { Reason } from '../core/rejection.ts';
import type { ConfigDocument } from './document.ts';
import { follow, placesOf } from './places.ts';
import type { ConfigReason, Problem } from './problem.ts';

/**
 * Finds each reason's file, line and column, in the order of the text. A reason about something that is not there
 * points to what should hold it. Reads the text a second time, so only for what is to be shown.
 */
export function place(reasons: readonly Reason[], document: ConfigDocument): Problem[] {
  if (reasons.length === 0) return [];
  const root = placesOf(document);
  const problems = reasons.map((reason: ConfigReason) => {
    if (reason.offset !== undefined) return unreadable(reason, document);
    if (root === null) return at(reason, document, 0, 1);
    const found = follow(root, reason.path);
    const { document: source, keyStart, keyEnd, start, end } = found.place;
    const isContainer = found.place.entries !== null || found.place.items !== null;
    const usesKey = keyStart !== -1 && (isContainer || !found.isExact || reason.isAboutName === true);
    return usesKey ? at(reason, source, keyStart, keyEnd) : at(reason, source, start, end);
  });
  return problems.sort((a, b) => order(a, document) - order(b, document) || a.line - b.line || a.column - b.column);
}

/** The override's problems come after the file's. */
function order(problem: Problem, document: ConfigDocument): number {
  return problem.file === document.path ? 0 : 1;
}

/** The reasons why a document or its override could not be read. */
function unreadable(reason: ConfigReason, document: ConfigDocument): Problem {
  const isOverride = !document.reasons.includes(reason) && document.override !== null;
  const source = isOverride && document.override !== null ? document.override : document;
  const offset = Math.max(0, reason.offset ?? 0);
  return at(reason, source, offset, offset + 1);
}

function at(reason: ConfigReason, document: ConfigDocument, start: number, end: number): Problem {
  const starts = lineStarts(document);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= start) low = middle;
    else high = middle - 1;
  }
  const lineEnd = low + 1 < starts.length ? starts[low + 1] - 1 : document.text.length;
  const length = Math.max(1, Math.min(end, lineEnd) - start);
  return { ...reason, file: document.path, line: low + 1, column: start - starts[low] + 1, length };
}

const knownStarts = new WeakMap<ConfigDocument, number[]>();

/** Offsets where lines begin. */
export function lineStarts(document: ConfigDocument): number[] {
  let starts = knownStarts.get(document);
  if (starts === undefined) {
    starts = [0];
    for (let at = document.text.indexOf('\n'); at !== -1; at = document.text.indexOf('\n', at + 1)) starts.push(at + 1);
    knownStarts.set(document, starts);
  }
  return starts;
}
