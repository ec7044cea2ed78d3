import type { TemplateVariable } from './path-template.ts';
import { percentDecode, type Unescape } from './percent.ts';

/** A value of the path or the query, and the field that it is for. */
export interface Binding {
  readonly fieldPath: readonly string[];
  /** Wire text, decoded: a character per byte. */
  readonly value: string;
}

/** Values of a template's variables. One segment is decoded whole; of several, what `unescape` allows. */
export function bindPath(
  variables: readonly TemplateVariable[],
  segments: readonly string[],
  unescape: Unescape,
  bindings: Binding[],
): void {
  for (const { fieldPath, start, end } of variables) {
    const last = end < 0 ? segments.length + end + 1 : end;
    const how = end < 0 || last - start > 1 ? unescape : 'all';
    let value = '';
    for (let i = start; i < last; i++) {
      if (i > start) value += '/';
      value += percentDecode(segments[i], how);
    }
    bindings.push({ fieldPath, value });
  }
}

/** Parameters with a name and `=`; the others mean nothing. */
export function bindQuery(
  query: string,
  ignored: ReadonlySet<string>,
  plusIsSpace: boolean,
  bindings: Binding[],
): void {
  let from = 0;
  while (from <= query.length) {
    const next = query.indexOf('&', from);
    const end = next < 0 ? query.length : next;
    const equals = query.indexOf('=', from);
    if (equals > from && equals < end) {
      const name = query.slice(from, equals);
      if (!ignored.has(name)) {
        const value = percentDecode(query.slice(equals + 1, end), 'all', plusIsSpace);
        bindings.push({ fieldPath: name.split('.'), value });
      }
    }
    from = end + 1;
  }
}
