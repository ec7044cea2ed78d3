import type { QueryMatcherData } from './matcher-data.ts';
import { StringMatcher } from './string-matcher.ts';

/** Tests a query parameter: name and value as they were sent, not decoded, and only the first of that name. */
export class QueryMatcher {
  private readonly name: string;
  private readonly string: StringMatcher | null;
  private readonly present: boolean;

  constructor(data: QueryMatcherData) {
    this.name = data.name;
    this.string = data.test.kind === 'string' ? new StringMatcher(data.test.string) : null;
    this.present = data.test.kind === 'present' ? data.test.present : true;
  }

  /** `path` with its query. */
  matches(path: string): boolean {
    const at = findParameter(path, this.name);
    if (this.string === null) return at >= 0 === this.present;
    return at >= 0 && this.string.matches(parameterValue(path, at));
  }
}

/** Where the name of the first such parameter ends, or -1. */
export function findParameter(path: string, name: string): number {
  let at = path.indexOf('?');
  while (at >= 0) {
    const end = at + 1 + name.length;
    if (path.startsWith(name, at + 1)) {
      const next = path.charCodeAt(end);
      if (end === path.length || next === 61 /* = */ || next === 38 /* & */) return end;
    }
    at = path.indexOf('&', at + 1);
  }
  return -1;
}

/** Of a parameter whose name ends there. */
export function parameterValue(path: string, nameEnd: number): string {
  if (path.charCodeAt(nameEnd) !== 61) return '';
  const end = path.indexOf('&', nameEnd);
  return end < 0 ? path.slice(nameEnd + 1) : path.slice(nameEnd + 1, end);
}
