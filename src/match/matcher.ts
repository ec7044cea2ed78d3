import { parseIp } from '../core/ip-address.ts';
import { holds, IpPrefixMap } from './ip-prefix-map.ts';
import type {
  FieldMatcherData,
  IpRangesData,
  MatcherData,
  MatchTreeData,
  OnMatchData,
  PredicateData,
} from './matcher-data.ts';

/** Chooses an action for a subject: Envoy's unified matcher. Null: it has none. */
export interface Matcher<Subject, Action> {
  match(subject: Subject): Action | null;
}

/** What of a subject is looked at; null: it has no such thing. */
export type MatchInput<Subject> = (subject: Subject) => string | null;

/** What matchers are made of that their user knows about. */
export interface MatchVocabulary<Subject, Action> {
  input(data: unknown): MatchInput<Subject>;
  /** One string test. */
  string(data: unknown): { matches(text: string): boolean };
  action(data: unknown): Action;
}

/**
 * Builds what `data` says. A tree that finds no action in a nested matcher goes on with what else would match, and with
 * `onNoMatch` at last. Source: Envoy `source/common/matcher`.
 */
export function buildMatcher<Subject, Action>(
  data: MatcherData,
  words: MatchVocabulary<Subject, Action>,
): Matcher<Subject, Action> {
  const tree = buildTree(data.tree, words);
  const otherwise = data.onNoMatch === null ? null : buildOnMatch(data.onNoMatch, words);
  if (otherwise === null) return tree;
  return { match: (subject) => tree.match(subject) ?? otherwise.match(subject) };
}

function buildOnMatch<Subject, Action>(
  data: OnMatchData,
  words: MatchVocabulary<Subject, Action>,
): Matcher<Subject, Action> {
  if (data.kind === 'matcher') return buildMatcher(data.matcher, words);
  const action = words.action(data.action);
  return { match: () => action };
}

function buildTree<Subject, Action>(
  tree: MatchTreeData,
  words: MatchVocabulary<Subject, Action>,
): Matcher<Subject, Action> {
  switch (tree.kind) {
    case 'none':
      return { match: () => null };
    case 'list':
      return new ListMatcher(tree.matchers, words);
    case 'exact':
      return new ExactMatcher(tree, words);
    case 'prefix':
      return new PrefixMatcher(tree, words);
    case 'ip':
      return new IpMatcher(words.input(tree.input), tree.ranges, words);
  }
}

/** The first whose predicate holds, and which has an action. */
class ListMatcher<Subject, Action> implements Matcher<Subject, Action> {
  private readonly fields: readonly {
    readonly predicate: Predicate<Subject>;
    readonly onMatch: Matcher<Subject, Action>;
  }[];

  constructor(matchers: readonly FieldMatcherData[], words: MatchVocabulary<Subject, Action>) {
    this.fields = matchers.map(({ predicate, onMatch }) => ({
      predicate: buildPredicate(predicate, words),
      onMatch: buildOnMatch(onMatch, words),
    }));
  }

  match(subject: Subject): Action | null {
    for (const { predicate, onMatch } of this.fields) {
      const action = predicate(subject) ? onMatch.match(subject) : null;
      if (action !== null) return action;
    }
    return null;
  }
}

type MapData = Extract<MatchTreeData, { readonly kind: 'exact' | 'prefix' }>;

function buildEntries<Subject, Action>(
  { entries }: MapData,
  words: MatchVocabulary<Subject, Action>,
): Map<string, Matcher<Subject, Action>> {
  return new Map(entries.map(({ key, onMatch }) => [key, buildOnMatch(onMatch, words)]));
}

class ExactMatcher<Subject, Action> implements Matcher<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly entries: ReadonlyMap<string, Matcher<Subject, Action>>;

  constructor(data: MapData, words: MatchVocabulary<Subject, Action>) {
    this.input = words.input(data.input);
    this.entries = buildEntries(data, words);
  }

  match(subject: Subject): Action | null {
    const text = this.input(subject);
    return text === null ? null : (this.entries.get(text)?.match(subject) ?? null);
  }
}

/** The longest prefix first. */
class PrefixMatcher<Subject, Action> implements Matcher<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly entries: ReadonlyMap<string, Matcher<Subject, Action>>;
  /** Lengths of prefixes, the longest first. */
  private readonly lengths: readonly number[];

  constructor(data: MapData, words: MatchVocabulary<Subject, Action>) {
    this.input = words.input(data.input);
    this.entries = buildEntries(data, words);
    this.lengths = [...new Set(Array.from(this.entries.keys(), (key) => key.length))].toSorted((a, b) => b - a);
  }

  match(subject: Subject): Action | null {
    const text = this.input(subject);
    if (text === null) return null;
    for (const length of this.lengths) {
      if (length > text.length) continue;
      const action = this.entries.get(text.slice(0, length))?.match(subject) ?? null;
      if (action !== null) return action;
    }
    return null;
  }
}

/** `xds.type.matcher.v3.IPMatcher`: the longest range first, and of equal ones that which is named first. */
class IpMatcher<Subject, Action> implements Matcher<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly ranges: IpPrefixMap<{ exclusive: boolean; onMatch: Matcher<Subject, Action> }[]>;

  constructor(input: MatchInput<Subject>, matchers: readonly IpRangesData[], words: MatchVocabulary<Subject, Action>) {
    this.input = input;
    this.ranges = new IpPrefixMap();
    for (const { ranges, onMatch, exclusive } of matchers) {
      const entry = { exclusive, onMatch: buildOnMatch(onMatch, words) };
      for (const range of ranges) {
        const same = this.ranges.get(range);
        if (same === undefined) this.ranges.set(range, [entry]);
        else same.push(entry);
      }
    }
  }

  match(subject: Subject): Action | null {
    const text = this.input(subject);
    const address = text === null ? null : parseIp(text);
    if (address === null) return null;
    let isFirst = true;
    for (const entries of this.ranges.findAll(address)) {
      for (const { exclusive, onMatch } of entries) {
        if (exclusive && !isFirst) continue;
        const action = onMatch.match(subject);
        if (action !== null) return action;
        isFirst = false;
      }
    }
    return null;
  }
}

type Predicate<Subject> = (subject: Subject) => boolean;

function buildPredicate<Subject>(data: PredicateData, words: MatchVocabulary<Subject, unknown>): Predicate<Subject> {
  switch (data.kind) {
    case 'string': {
      const input = words.input(data.input);
      const test = words.string(data.string);
      return (subject) => {
        const text = input(subject);
        return text !== null && test.matches(text);
      };
    }
    case 'ip': {
      const input = words.input(data.input);
      return (subject) => {
        const text = input(subject);
        const address = text === null ? null : parseIp(text);
        return address !== null && data.ranges.some((range) => holds(range, address));
      };
    }
    case 'not': {
      const predicate = buildPredicate(data.predicate, words);
      return (subject) => !predicate(subject);
    }
    case 'and':
    case 'or': {
      const predicates = data.predicates.map((predicate) => buildPredicate(predicate, words));
      if (data.kind === 'and') return (subject) => predicates.every((predicate) => predicate(subject));
      return (subject) => predicates.some((predicate) => predicate(subject));
    }
  }
}
