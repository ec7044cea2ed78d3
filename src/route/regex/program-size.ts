import type { RegexNode } from './syntax.ts';

/**
 * How many instructions RE2 compiles a pattern to, which Envoy limits (`re2.max_program_size.error_level`, default
 * 100). Counted as RE2 does for what patterns are usually made of: one per byte range, two per capture, one for `?`,
 * `+`, an empty alternative and `^ $` inside, common beginnings of neighbouring alternatives once, and a literal
 * beginning after `^` not at all (RE2 compares it by itself). Compared with Envoy's own numbers in the unit test; nested
 * loops may differ by one or two.
 */
export function programSize(node: RegexNode): number {
  // Fail and match, and two for the `.*?` in front of what is not anchored.
  const anchored = 2;
  const unanchored = 4;
  const items = node.kind === 'sequence' ? node.items.slice() : [node];
  if (items[items.length - 1]?.kind === 'end') items.pop();
  if (items[0]?.kind !== 'begin') return unanchored + sizeOf({ kind: 'sequence', items });
  items.shift();
  let literals = 0;
  while (literals < items.length && isLiteral(items[literals])) literals++;
  const rest = sizeOf({ kind: 'sequence', items: items.slice(literals) });
  return literals > 0 ? unanchored + rest : anchored + rest;
}

function isLiteral(node: RegexNode): boolean {
  return node.kind === 'set' && node.set.single() >= 0;
}

function sizeOf(node: RegexNode): number {
  switch (node.kind) {
    case 'set':
      return rangeCount(node);
    case 'begin':
    case 'end':
      return 1;
    case 'group':
      return 2 + sizeOf(node.item);
    case 'sequence':
      return node.items.reduce((sum, item) => sum + sizeOf(item), 0);
    case 'choice':
      return choiceSize(node.items.map((item) => (item.kind === 'sequence' ? item.items : [item])));
    case 'repeat': {
      const one = sizeOf(node.item);
      if (node.max < 0) return node.min === 0 ? one : one * node.min + 1;
      return one * node.max + (node.max - node.min);
    }
  }
}

/** Both cases of a letter are one instruction. */
function rangeCount(node: RegexNode & { kind: 'set' }): number {
  return node.set.ranges().filter(([from, to]) => {
    if (from < 65 || to > 90) return true;
    for (let code = from; code <= to; code++) if (!node.set.has(code + 32)) return true;
    return false;
  }).length;
}

function choiceSize(branches: readonly (readonly RegexNode[])[]): number {
  let total = 0;
  let ranges: number[] = [];
  for (let i = 0; i < branches.length;) {
    const head = branches[i][0];
    if (head === undefined) {
      total++;
      i++;
      continue;
    }
    let end = i + 1;
    while (end < branches.length && sameLiteral(head, branches[end][0])) end++;
    const group = branches.slice(i, end);
    if (group.length > 1) total += 1 + choiceSize(group.map((branch) => branch.slice(1)));
    else if (group[0].length === 1 && head.kind === 'set') ranges = ranges.concat(codesOf(head));
    else total += sizeOf({ kind: 'sequence', items: group[0] });
    i = end;
  }
  return total + runs(ranges);
}

function sameLiteral(one: RegexNode, other: RegexNode | undefined): boolean {
  if (other === undefined || one.kind !== 'set' || other.kind !== 'set') return false;
  const code = one.set.single();
  return code >= 0 && code === other.set.single();
}

function codesOf(node: RegexNode & { kind: 'set' }): number[] {
  return node.set.ranges().flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

/** One-byte alternatives become one class. */
function runs(codes: readonly number[]): number {
  const sorted = [...new Set(codes)].sort((a, b) => a - b);
  return sorted.filter((code, i) => i === 0 || code !== sorted[i - 1] + 1).length;
}
