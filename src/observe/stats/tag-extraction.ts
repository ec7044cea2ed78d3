import type { RE2JS } from 're2js';
import { re2 } from '../../core/re2.ts';

import type { StatsConfigData, StatsTagData } from './stats-data.ts';
import { literalFirstToken, readTagExpression } from './tag-expression.ts';
import { DEFAULT_TAG_RULES, type TagRule } from './tag-rules.ts';

export interface Tag {
  readonly name: string;
  readonly value: string;
}

/** A stat's name as Prometheus has it. */
export interface TaggedName {
  /** The name without what became tags. */
  readonly name: string;
  /** In the order in which they were found. */
  readonly tags: readonly Tag[];
}

/** A stretch of the stat's name that becomes a tag. */
interface Finding {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

interface Extractor {
  readonly tag: string;
  /** First token of every name that can match; empty: any name. */
  readonly firstToken: string;
  find(name: string): Finding | null;
}

class RegexExtractor implements Extractor {
  readonly tag: string;
  readonly firstToken: string;
  private readonly regex: RegExp;
  private readonly not: string;

  constructor(tag: string, source: string, not: string) {
    this.tag = tag;
    this.firstToken = literalFirstToken(source);
    this.regex = new RegExp(source, 'd');
    this.not = not;
  }

  find(name: string): Finding | null {
    const match = this.regex.exec(name);
    if (match === null) return null;
    const [start, end] = match.indices![1]!;
    const value = match[2] ?? match[1];
    return this.not !== '' && value === this.not ? null : { value, start, end };
  }
}

/** For expressions from configuration: linear time. */
class Re2Extractor implements Extractor {
  readonly tag: string;
  readonly firstToken: string;
  private readonly regex: RE2JS;
  /** What a name must begin with; empty: anything. */
  private readonly start: string;

  constructor(tag: string, source: string) {
    const { start, expression } = readTagExpression(source);
    this.tag = tag;
    this.firstToken = literalFirstToken(source);
    this.regex = re2().RE2JS.compile(expression);
    this.start = start;
  }

  find(name: string): Finding | null {
    if (!name.startsWith(this.start)) return null;
    const matcher = this.regex.matcher(name);
    if (!matcher.find() || matcher.groupCount() < 1) return null;
    const start = matcher.start(1);
    if (start < 0) return null;
    const end = matcher.end(1);
    const second = matcher.groupCount() > 1 ? matcher.group(2) : null;
    return { value: second === null || second === '' ? name.slice(start, end) : second, start, end };
  }
}

class FixedExtractor implements Extractor {
  readonly tag: string;
  readonly firstToken: string;
  private readonly value: string;

  constructor(tag: string, value: string) {
    this.tag = tag;
    this.firstToken = '';
    this.value = value;
  }

  find(): Finding | null {
    return { value: this.value, start: 0, end: 0 };
  }
}

/**
 * Splits stat names into a name and tags as Envoy does: every rule sees the whole name, a tag is taken at most once,
 * and what the rules found is cut out at the end. Results are kept, for as many names as there are stats.
 */
export class TagExtraction {
  /** Rules that may match any name come first, then those of the name's first token: this is the order of the tags. */
  private readonly anywhere: Extractor[];
  private readonly byFirstToken: Map<string, Extractor[]>;
  private readonly known: Map<string, TaggedName>;

  constructor(config: Pick<StatsConfigData, 'useAllDefaultTags' | 'tags'>) {
    this.anywhere = [];
    this.byFirstToken = new Map();
    this.known = new Map();
    if (config.useAllDefaultTags) {
      for (const rule of DEFAULT_TAG_RULES) if (rule.regex !== undefined) this.add(ruleExtractor(rule));
      for (const rule of DEFAULT_TAG_RULES) if (rule.tokens !== undefined) this.add(ruleExtractor(rule));
    }
    for (const tag of config.tags) for (const extractor of configured(tag)) this.add(extractor);
  }

  extract(name: string): TaggedName {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const made = this.make(name);
    this.known.set(name, made);
    return made;
  }

  private make(name: string): TaggedName {
    const tags: Tag[] = [];
    const found: Finding[] = [];
    const dot = name.indexOf('.');
    const lists = [this.anywhere, this.byFirstToken.get(dot < 0 ? name : name.slice(0, dot)) ?? []];
    for (const list of lists) {
      for (const extractor of list) {
        if (tags.some((tag) => tag.name === extractor.tag)) continue;
        const finding = extractor.find(name);
        if (finding === null) continue;
        tags.push({ name: extractor.tag, value: finding.value });
        found.push(finding);
      }
    }
    return { name: cut(name, found), tags };
  }

  private add(extractor: Extractor): void {
    if (extractor.firstToken === '') {
      this.anywhere.push(extractor);
      return;
    }
    const list = this.byFirstToken.get(extractor.firstToken);
    if (list === undefined) this.byFirstToken.set(extractor.firstToken, [extractor]);
    else list.push(extractor);
  }
}

function configured(tag: StatsTagData): Extractor[] {
  if (tag.fixedValue !== null) return [new FixedExtractor(tag.name, tag.fixedValue)];
  if (tag.regex !== null) return [new Re2Extractor(tag.name, tag.regex)];
  return DEFAULT_TAG_RULES.filter((rule) => rule.tag === tag.name).map(ruleExtractor);
}

function ruleExtractor(rule: TagRule): Extractor {
  return new RegexExtractor(rule.tag, rule.regex ?? tokensToRegex(rule.tokens!), rule.not ?? '');
}

/** `http.*.fault.$.**` → an expression whose first group is the tag's token with one of its dots. */
function tokensToRegex(pattern: string): string {
  let regex = '^';
  const tokens = pattern.split('.');
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    const dot = i < tokens.length - 1 ? String.raw`\.` : '';
    if (token === '$') regex += String.raw`(([^.]+)${dot})`;
    else if (token === '*') regex += `[^.]+${dot}`;
    else if (token === '**') regex += dot === '' ? '.+' : String.raw`(?:[^.]+\.)*?`;
    else regex += `${token}${dot}`;
  }
  return `${regex}$`;
}

function cut(name: string, found: readonly Finding[]): string {
  const sorted = found.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
  let rest = '';
  let from = 0;
  for (const { start, end } of sorted) {
    if (start > from) rest += name.slice(from, start);
    from = Math.max(from, end);
  }
  return rest + name.slice(from);
}
