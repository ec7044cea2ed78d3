/**
 * Reads a FieldMask's JSON: paths in camel case with commas between them, `a(b,c)` for `a.b,a.c`, and map keys as
 * `["key"]`.
 * @returns what is wrong with it, in Envoy's words; empty: nothing
 */
export function parseFieldMask(text: string, paths: string[]): string {
  const wrong = (what: string): string => `Invalid FieldMask '${text}'. ${what}`;
  const prefixes: string[] = [];
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const character = text[i] as string | undefined;
    if (character === '[') {
      if (text[i + 1] !== '"') return wrong('Map keys should be represented as ["some_key"].');
      const end = keyEnd(text, i + 2);
      if (end < 0) return wrong("Cannot find matching ']' for all '['.");
      if (text[end + 1] !== ']') return wrong('Map keys should be represented as ["some_key"].');
      i = end + 1;
      const next = text[i + 1] as string | undefined;
      if (next !== undefined && !'.,()'.includes(next))
        return wrong('Map keys should be at the end of a path segment.');
      continue;
    }
    if (character !== undefined && character !== ',' && character !== '(' && character !== ')') continue;
    const segment = text.slice(from, i);
    const prefix = prefixes[prefixes.length - 1] ?? '';
    if (character === '(') prefixes.push(joined(prefix, segment));
    else if (segment !== '') paths.push(snakePath(joined(prefix, segment)));
    if (character === ')' && prefixes.pop() === undefined) return wrong("Cannot find matching '(' for all ')'.");
    from = i + 1;
  }
  return prefixes.length === 0 ? '' : wrong("Cannot find matching ')' for all '('.");
}

/** Where the quote of a map key closes; -1: nowhere. */
function keyEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

function joined(prefix: string, segment: string): string {
  if (prefix === '' || segment === '') return prefix + segment;
  return segment.startsWith('["') ? prefix + segment : `${prefix}.${segment}`;
}

/** Map keys stay as they are. */
function snakePath(path: string): string {
  return path.replace(/"(?:[^"\\]|\\.)*"?|[^"]+/g, (part) => (part.startsWith('"') ? part : snakeCase(part)));
}

/** `fooBar` → `foo_bar`, `GBike` → `g_bike`, `GoogleLAB` → `google_lab`; a word ends at a point or a bracket. */
function snakeCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter, at: number) => {
    const before = text[at - 1] as string | undefined;
    const isFirst = before === undefined || '_.()'.includes(before);
    const followsCapital = before !== undefined && /[A-Z]/.test(before);
    const isLastOfCapitals = /[a-z]/.test(text[at + 1] ?? '');
    return (isFirst || (followsCapital && !isLastOfCapitals) ? '' : '_') + letter.toLowerCase();
  });
}
