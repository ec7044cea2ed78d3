import { parseSubset } from './syntax.ts';

/** What every text that matches the whole pattern begins with; empty: nothing certain. */
export function literalPrefix(pattern: string): string {
  const node = parseSubset(pattern);
  if (node === null) return '';
  let prefix = '';
  for (const item of node.kind === 'sequence' ? node.items : [node]) {
    if (item.kind === 'begin') continue;
    const code = item.kind === 'set' ? item.set.single() : -1;
    if (code < 0) break;
    prefix += String.fromCharCode(code);
  }
  return prefix;
}
