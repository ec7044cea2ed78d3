import { re2 } from '../core/re2.ts';

export type NameFilter = (name: string) => boolean;

const everything: NameFilter = () => true;

/** `filter` of a page: the expression is found somewhere in the name. Undefined: it is no RE2 expression. */
export function nameFilter(pattern: string | null): NameFilter | undefined {
  if (pattern === null || pattern === '') return everything;
  try {
    const regex = re2().RE2JS.compile(pattern);
    return (name) => regex.matcher(name).find();
  } catch {
    return undefined;
  }
}

/**
 * `name_regex` of `/config_dump`: the expression is the whole name.
 * @throws RE2JS's error when it is no RE2 expression
 */
export function wholeNameFilter(pattern: string | null): NameFilter {
  if (pattern === null || pattern === '') return everything;
  const regex = re2().RE2JS.compile(pattern);
  return (name) => regex.matches(name);
}
