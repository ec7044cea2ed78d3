import { CharSet } from './char-set.ts';
import type { RegexNode } from './syntax.ts';

/**
 * When V8's backtracking engine may run a pattern in place of RE2.
 *
 * Proof rule. The continuation of a node is all that follows it in the pattern; FIRST is the set of bytes that
 * something can begin with.
 * 1. Every unbounded repeat is of a single byte set C (no loop in a loop, no group in a loop).
 * 2. A loop is determined if C and FIRST(continuation) are disjoint: leaving it early fails at the very next byte, so
 *    backtracking into it costs one step per byte. Any number of determined loops in a row cost O(n) together.
 * 3. At most one loop on a way through the pattern is undetermined, and behind it comes no loop at all: it has at most
 *    n + 1 exits, and the attempt after each is as long as the pattern at most: O(n · pattern).
 * 4. Alternatives, optional parts and counted repeats whose choices can begin with the same byte are undetermined too;
 *    they multiply the attempts, and the product over the pattern must stay within `choicesMax`, a constant.
 * Together: time linear in the text. Matching is anchored at both ends. A search (for a replacement) starts anew at
 * every byte, so there the pattern must begin with `^`, or have no unbounded loop and be short.
 * All else goes to RE2.
 */
const choicesMax = 16;
const searchSizeMax = 200;

/** Source of the equivalent RegExp for matching a whole text, or null. */
export function nativeFullMatch(node: RegexNode): string | null {
  return new Analysis().accepts(node) ? `^(?:${source(node)})$` : null;
}

/**
 * Source of the equivalent RegExp for searching, with the same capture groups, or null. Where a repeat may match
 * nothing, or holds a group, JavaScript and RE2 agree on the language but not on lengths and groups.
 */
export function nativeSearch(node: RegexNode): string | null {
  const analysis = new Analysis();
  if (!analysis.accepts(node) || analysis.hasCaptureInRepeat || analysis.hasEmptyRepeat) return null;
  const isBound = startsAtBegin(node) || (!analysis.hasLoop && size(node) <= searchSizeMax);
  return isBound ? source(node) : null;
}

const noBytes = new CharSet();

class Analysis {
  hasLoop: boolean;
  hasCaptureInRepeat: boolean;
  hasEmptyRepeat: boolean;
  private choices: number;
  private repeatDepth: number;

  constructor() {
    this.hasLoop = false;
    this.hasCaptureInRepeat = false;
    this.hasEmptyRepeat = false;
    this.choices = 1;
    this.repeatDepth = 0;
  }

  accepts(node: RegexNode): boolean {
    return this.walk(node, noBytes) !== null && this.choices <= choicesMax;
  }

  /** FIRST of `node` before a continuation that begins with `follow`; null: not provable. From the end to the start. */
  private walk(node: RegexNode, follow: CharSet): CharSet | null {
    switch (node.kind) {
      case 'set':
        return node.set;
      case 'begin':
      case 'end':
        return follow;
      case 'group':
        if (this.repeatDepth > 0) this.hasCaptureInRepeat = true;
        return this.walk(node.item, follow);
      case 'sequence': {
        let first: CharSet | null = follow;
        for (let i = node.items.length - 1; i >= 0 && first !== null; i--) first = this.walk(node.items[i], first);
        return first;
      }
      case 'choice':
        return this.walkChoice(node.items, follow);
      case 'repeat':
        return node.max < 0 ? this.walkLoop(node, follow) : this.walkCounted(node, follow);
    }
  }

  private walkChoice(items: readonly RegexNode[], follow: CharSet): CharSet | null {
    const loopsBehind = this.hasLoop;
    let hasLoop = loopsBehind;
    let all = noBytes;
    let isAmbiguous = false;
    for (const item of items) {
      this.hasLoop = loopsBehind;
      const first = this.walk(item, follow);
      if (first === null) return null;
      hasLoop ||= this.hasLoop;
      isAmbiguous ||= isNullable(item) || first.intersects(all);
      all = all.union(first);
    }
    this.hasLoop = hasLoop;
    if (isAmbiguous) this.choices *= items.length;
    return all;
  }

  private walkLoop(node: RegexNode & { kind: 'repeat' }, follow: CharSet): CharSet | null {
    if (node.item.kind !== 'set' || this.repeatDepth > 0) return null;
    const set = node.item.set;
    if (set.intersects(follow) && this.hasLoop) return null;
    this.hasLoop = true;
    return node.min > 0 ? set : set.union(follow);
  }

  private walkCounted(node: RegexNode & { kind: 'repeat' }, follow: CharSet): CharSet | null {
    const { item, min, max } = node;
    if (max === 0) return follow;
    if (isNullable(item)) this.hasEmptyRepeat = true;
    const before = this.choices;
    this.choices = 1;
    if (max > 1) this.repeatDepth++;
    // Each round is followed by another one or by what comes behind.
    const follows = max > 1 ? follow.union(firstOf(item, follow)) : follow;
    const first = this.walk(item, follows);
    if (max > 1) this.repeatDepth--;
    if (first === null) return null;
    const isAmbiguous = min < max && (isNullable(item) || first.intersects(follow));
    this.choices = before * this.choices ** max * (isAmbiguous ? max - min + 1 : 1);
    return min > 0 && !isNullable(item) ? first : first.union(follow);
  }
}

function firstOf(node: RegexNode, follow: CharSet): CharSet {
  switch (node.kind) {
    case 'set':
      return node.set;
    case 'begin':
    case 'end':
      return follow;
    case 'group':
      return firstOf(node.item, follow);
    case 'sequence':
      return node.items.reduceRight((first, item) => firstOf(item, first), follow);
    case 'choice':
      return node.items.reduce((first, item) => first.union(firstOf(item, follow)), noBytes);
    case 'repeat':
      return node.min > 0 ? firstOf(node.item, follow) : firstOf(node.item, follow).union(follow);
  }
}

function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'begin':
    case 'end':
      return true;
    case 'group':
      return isNullable(node.item);
    case 'sequence':
      return node.items.every(isNullable);
    case 'choice':
      return node.items.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.item);
  }
}

function startsAtBegin(node: RegexNode): boolean {
  if (node.kind === 'begin') return true;
  return node.kind === 'sequence' && node.items.length > 0 && startsAtBegin(node.items[0]);
}

/** How many byte sets an attempt passes at most. */
function size(node: RegexNode): number {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'begin':
    case 'end':
      return 0;
    case 'group':
      return size(node.item);
    case 'sequence':
    case 'choice':
      return node.items.reduce((sum, item) => sum + size(item), 0);
    case 'repeat':
      return size(node.item) * Math.max(node.max, 1);
  }
}

function source(node: RegexNode): string {
  switch (node.kind) {
    case 'set':
      return setSource(node.set);
    case 'begin':
      return '^';
    case 'end':
      return '$';
    case 'group':
      return `(${source(node.item)})`;
    case 'sequence':
      return node.items.map((item) => (item.kind === 'choice' ? `(?:${source(item)})` : source(item))).join('');
    case 'choice':
      return node.items.map(source).join('|');
    case 'repeat': {
      const isAtom = node.item.kind === 'set' || node.item.kind === 'group';
      const item = isAtom ? source(node.item) : `(?:${source(node.item)})`;
      return item + quantifier(node.min, node.max) + (node.isLazy ? '?' : '');
    }
  }
}

function quantifier(min: number, max: number): string {
  if (max < 0) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  return `{${min},${max}}`;
}

function setSource(set: CharSet): string {
  const ranges = set.ranges();
  if (ranges.length === 1 && ranges[0][0] === ranges[0][1]) return escaped(ranges[0][0]);
  const parts = ranges.map(([from, to]) => (from === to ? escaped(from) : `${escaped(from)}-${escaped(to)}`));
  return `[${parts.join('')}]`;
}

function escaped(code: number): string {
  const isPlain =
    (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 47;
  return isPlain ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, '0')}`;
}
