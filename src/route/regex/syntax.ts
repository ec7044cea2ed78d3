import { CharSet, digits, posixClasses, spaces, words } from './char-set.ts';

/** A regular expression as a tree. Literals are sets of one byte. */
export type RegexNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly items: readonly RegexNode[] }
  /** `max` -1: without end. */
  | {
      readonly kind: 'repeat';
      readonly item: RegexNode;
      readonly min: number;
      readonly max: number;
      readonly isLazy: boolean;
    }
  | { readonly kind: 'group'; readonly item: RegexNode; readonly name: string }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' };

/** RE2 refuses more repeats than these. */
const repeatMax = 1000;
const anyByte = new CharSet().addRange(0, 255);
const notNewline = CharSet.of(10).negate();

/** The pattern uses something beyond the subset that `Parser` knows, or is not valid. */
class Beyond extends Error {}

/**
 * Parses the part of RE2's syntax that configurations mostly use: literals, classes, groups, alternatives, greedy and
 * lazy repeats, `^ $ \A \z`, and `(?i)` or `(?s)` in front. Null: the pattern is beyond this subset or not valid; then
 * RE2 itself (`re2js`) has to say. What is accepted here is valid in RE2 with the same meaning.
 */
export function parseSubset(pattern: string): RegexNode | null {
  try {
    return new Parser(pattern).parse();
  } catch (error) {
    if (error instanceof Beyond) return null;
    throw error;
  }
}

class Parser {
  private readonly text: string;
  private at: number;
  private foldsCase: boolean;
  private dot: CharSet;
  private readonly names: Set<string>;

  constructor(text: string) {
    this.text = text;
    this.at = 0;
    this.foldsCase = false;
    this.dot = notNewline;
    this.names = new Set();
  }

  parse(): RegexNode {
    const flags = /^\(\?([is]+)\)/.exec(this.text);
    if (flags !== null) {
      this.at = flags[0].length;
      this.foldsCase = flags[1].includes('i');
      if (flags[1].includes('s')) this.dot = anyByte;
    }
    const node = this.choice();
    if (this.at < this.text.length) throw new Beyond();
    return node;
  }

  private choice(): RegexNode {
    const items = [this.sequence()];
    while (this.text[this.at] === '|') {
      this.at++;
      items.push(this.sequence());
    }
    return items.length === 1 ? items[0] : { kind: 'choice', items };
  }

  private sequence(): RegexNode {
    const items: RegexNode[] = [];
    while (this.at < this.text.length && this.text[this.at] !== '|' && this.text[this.at] !== ')') {
      items.push(this.repeated());
    }
    return items.length === 1 ? items[0] : { kind: 'sequence', items };
  }

  private repeated(): RegexNode {
    const item = this.atom();
    const bounds = this.bounds();
    if (bounds === null) return item;
    if (item.kind === 'begin' || item.kind === 'end') throw new Beyond();
    const isLazy = this.text[this.at] === '?';
    if (isLazy) this.at++;
    if (this.bounds() !== null) throw new Beyond();
    return { kind: 'repeat', item, min: bounds[0], max: bounds[1], isLazy };
  }

  private bounds(): [number, number] | null {
    const char = this.text[this.at];
    if (char === '*' || char === '+' || char === '?') {
      this.at++;
      return char === '*' ? [0, -1] : char === '+' ? [1, -1] : [0, 1];
    }
    if (char !== '{') return null;
    const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.text.slice(this.at, this.at + 12));
    if (match === null) throw new Beyond();
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? -1 : Number(match[3]);
    if (min > repeatMax || max > repeatMax || (max >= 0 && max < min)) throw new Beyond();
    this.at += match[0].length;
    return [min, max];
  }

  private atom(): RegexNode {
    const char = this.text[this.at];
    switch (char) {
      case '(':
        return this.group();
      case '[':
        return { kind: 'set', set: this.bracket() };
      case '.':
        this.at++;
        return { kind: 'set', set: this.dot };
      case '^':
        this.at++;
        return { kind: 'begin' };
      case '$':
        this.at++;
        return { kind: 'end' };
      case '\\':
        return this.escape();
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw new Beyond();
      default:
        return this.literal(this.text.charCodeAt(this.at++));
    }
  }

  private literal(code: number): RegexNode {
    if (code > 255) throw new Beyond();
    return { kind: 'set', set: this.fold(CharSet.of(code)) };
  }

  private fold(set: CharSet): CharSet {
    return this.foldsCase ? set.folded() : set;
  }

  private group(): RegexNode {
    this.at++;
    let isCapture = true;
    let name = '';
    if (this.text[this.at] === '?') {
      const opening = /^\?(?::|P?<([A-Za-z_]\w{0,63})>)/.exec(this.text.slice(this.at, this.at + 70));
      if (opening === null) throw new Beyond();
      this.at += opening[0].length;
      isCapture = opening[1] !== undefined;
      name = opening[1] ?? '';
      if (name !== '' && this.names.has(name)) throw new Beyond();
      this.names.add(name);
    }
    const item = this.choice();
    if (this.text[this.at] !== ')') throw new Beyond();
    this.at++;
    return isCapture ? { kind: 'group', item, name } : item;
  }

  private escape(): RegexNode {
    const next = this.text[this.at + 1];
    if (next === 'A' || next === 'z') {
      this.at += 2;
      return { kind: next === 'A' ? 'begin' : 'end' };
    }
    if (next === 'C') {
      this.at += 2;
      return { kind: 'set', set: anyByte };
    }
    const perl = this.perlClass();
    if (perl !== null) return { kind: 'set', set: perl };
    return this.literal(this.escapedCode());
  }

  private perlClass(): CharSet | null {
    const set = perlClasses.get(this.text[this.at + 1] ?? '');
    if (set === undefined) return null;
    this.at += 2;
    return set;
  }

  /** Stands on a backslash. */
  private escapedCode(): number {
    const next = this.text[this.at + 1] ?? '';
    const control = controls.get(next);
    if (control !== undefined) {
      this.at += 2;
      return control;
    }
    if (next === 'x') {
      const hex = /^[0-9A-Fa-f]{2}/.exec(this.text.slice(this.at + 2, this.at + 4));
      if (hex === null) throw new Beyond();
      this.at += 4;
      return parseInt(hex[0], 16);
    }
    if (!/^[!-/:-@[-`{-~]$/.test(next)) throw new Beyond();
    this.at += 2;
    return next.charCodeAt(0);
  }

  /** Stands on `[`. */
  private bracket(): CharSet {
    this.at++;
    const isNegated = this.text[this.at] === '^';
    if (isNegated) this.at++;
    const set = new CharSet();
    let isFirst = true;
    while (isFirst || this.text[this.at] !== ']') {
      if (this.at >= this.text.length) throw new Beyond();
      this.bracketItem(set);
      isFirst = false;
    }
    this.at++;
    const folded = this.fold(set);
    return isNegated ? folded.negate() : folded;
  }

  private bracketItem(set: CharSet): void {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.text.slice(this.at, this.at + 12));
    if (posix !== null) {
      const named = posixClasses.get(posix[2]);
      if (named === undefined) throw new Beyond();
      this.at += posix[0].length;
      set.add(posix[1] === '' ? named : named.negate());
      return;
    }
    if (this.text[this.at] === '\\') {
      const perl = this.perlClass();
      if (perl !== null) {
        set.add(perl);
        return;
      }
    }
    const from = this.bracketCode();
    if (this.text[this.at] !== '-' || this.text[this.at + 1] === ']') {
      set.addRange(from, from);
      return;
    }
    this.at++;
    const to = this.bracketCode();
    if (to < from) throw new Beyond();
    set.addRange(from, to);
  }

  private bracketCode(): number {
    if (this.text[this.at] === '\\') return this.escapedCode();
    const code = this.text.charCodeAt(this.at++);
    if (!(code <= 255)) throw new Beyond();
    return code;
  }
}

const perlClasses: ReadonlyMap<string, CharSet> = new Map([
  ['d', digits],
  ['D', digits.negate()],
  ['w', words],
  ['W', words.negate()],
  ['s', spaces],
  ['S', spaces.negate()],
]);

const controls: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
]);
