import { parseIp } from '../core/ip-address.ts';
import { holds, IpPrefixMap } from './ip-prefix-map.ts';
import type {
  DomainsData,
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

/** What of a subject is looked at; null: it has no such thing; undefined: that cannot be told, nor then what matches. */
export type MatchInput<Subject> = (subject: Subject) => string | null | undefined;

/** What matchers are made of that their user knows about. */
export interface MatchVocabulary<Subject, Action> {
  input(data: unknown): MatchInput<Subject>;
  /** One string test. */
  string(data: unknown): { matches(text: string): boolean };
  action(data: unknown): Action;
  /** What `decodeCustom` made; absent: there are none. */
  custom?(input: unknown, data: unknown): (subject: Subject) => boolean;
  /** Taken where it cannot be told what matches; absent: nothing is. */
  readonly untold?: Action;
}

/** A part of a matcher. */
interface Part<Subject, Action> {
  /** Null: nothing matches; undefined: that cannot be told. */
  match(subject: Subject): Action | null | undefined;
}

/**
 * Builds what `data` says. A tree that finds no action in a nested matcher goes on with what else would match, and with
 * `onNoMatch` at last. Source: Envoy `source/common/matcher`.
 */
export function buildMatcher<Subject, Action>(
  data: MatcherData,
  words: MatchVocabulary<Subject, Action>,
): Matcher<Subject, Action> {
  const whole = buildPart(data, words);
  const untold = words.untold ?? null;
  return {
    match(subject) {
      const action = whole.match(subject);
      return action === undefined ? untold : action;
    },
  };
}

function buildPart<Subject, Action>(data: MatcherData, words: MatchVocabulary<Subject, Action>): Part<Subject, Action> {
  const tree = buildTree(data.tree, words);
  const otherwise = data.onNoMatch === null ? null : buildOnMatch(data.onNoMatch, words);
  if (otherwise === null) return tree;
  return {
    match(subject) {
      const action = tree.match(subject);
      return action === null ? otherwise.match(subject) : action;
    },
  };
}

function buildOnMatch<Subject, Action>(
  data: OnMatchData,
  words: MatchVocabulary<Subject, Action>,
): Part<Subject, Action> {
  if (data.kind === 'matcher') return buildPart(data.matcher, words);
  const action = words.action(data.action);
  return { match: () => action };
}

function buildTree<Subject, Action>(
  tree: MatchTreeData,
  words: MatchVocabulary<Subject, Action>,
): Part<Subject, Action> {
  switch (tree.kind) {
    case 'none':
      return { match: () => null };
    case 'list':
      return new ListPart(tree.matchers, words);
    case 'exact':
      return new ExactPart(tree, words);
    case 'prefix':
      return new PrefixPart(tree, words);
    case 'domain':
      return new DomainPart(words.input(tree.input), tree.domains, words);
    case 'ip':
      return new IpPart(words.input(tree.input), tree.ranges, words);
  }
}

/** The first whose predicate holds, and which has an action. */
class ListPart<Subject, Action> implements Part<Subject, Action> {
  private readonly fields: readonly {
    readonly predicate: Predicate<Subject>;
    readonly onMatch: Part<Subject, Action>;
  }[];

  constructor(matchers: readonly FieldMatcherData[], words: MatchVocabulary<Subject, Action>) {
    this.fields = matchers.map(({ predicate, onMatch }) => ({
      predicate: buildPredicate(predicate, words),
      onMatch: buildOnMatch(onMatch, words),
    }));
  }

  match(subject: Subject): Action | null | undefined {
    for (const { predicate, onMatch } of this.fields) {
      const holds = predicate(subject);
      const action = holds === true ? onMatch.match(subject) : holds === false ? null : undefined;
      if (action !== null) return action;
    }
    return null;
  }
}

type MapData = Extract<MatchTreeData, { readonly kind: 'exact' | 'prefix' }>;

function buildEntries<Subject, Action>(
  { entries }: MapData,
  words: MatchVocabulary<Subject, Action>,
): Map<string, Part<Subject, Action>> {
  return new Map(entries.map(({ key, onMatch }) => [key, buildOnMatch(onMatch, words)]));
}

class ExactPart<Subject, Action> implements Part<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly entries: ReadonlyMap<string, Part<Subject, Action>>;

  constructor(data: MapData, words: MatchVocabulary<Subject, Action>) {
    this.input = words.input(data.input);
    this.entries = buildEntries(data, words);
  }

  match(subject: Subject): Action | null | undefined {
    const text = this.input(subject);
    if (typeof text !== 'string') return text;
    const entry = this.entries.get(text);
    return entry === undefined ? null : entry.match(subject);
  }
}

/** The longest prefix first. */
class PrefixPart<Subject, Action> implements Part<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly entries: ReadonlyMap<string, Part<Subject, Action>>;
  /** Lengths of prefixes, the longest first. */
  private readonly lengths: readonly number[];

  constructor(data: MapData, words: MatchVocabulary<Subject, Action>) {
    this.input = words.input(data.input);
    this.entries = buildEntries(data, words);
    this.lengths = [...new Set(Array.from(this.entries.keys(), (key) => key.length))].toSorted((a, b) => b - a);
  }

  match(subject: Subject): Action | null | undefined {
    const text = this.input(subject);
    if (typeof text !== 'string') return text;
    for (const length of this.lengths) {
      if (length > text.length) continue;
      const entry = this.entries.get(text.slice(0, length));
      const action = entry === undefined ? null : entry.match(subject);
      if (action !== null) return action;
    }
    return null;
  }
}

/** `xds.type.matcher.v3.ServerNameMatcher`: the whole name first, then by wildcards, those of more labels before others. */
class DomainPart<Subject, Action> implements Part<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly names: ReadonlyMap<string, Part<Subject, Action>>;

  constructor(input: MatchInput<Subject>, domains: readonly DomainsData[], words: MatchVocabulary<Subject, Action>) {
    this.input = input;
    const names = new Map<string, Part<Subject, Action>>();
    for (const { names: own, onMatch } of domains) {
      const part = buildOnMatch(onMatch, words);
      for (const name of own) names.set(name, part);
    }
    this.names = names;
  }

  match(subject: Subject): Action | null | undefined {
    const text = this.input(subject);
    if (typeof text !== 'string') return text;
    let action = this.actionOf(text, subject);
    for (let dot = text.indexOf('.'); action === null && dot >= 0; dot = text.indexOf('.', dot + 1))
      action = this.actionOf(`*${text.slice(dot)}`, subject);
    return action === null ? this.actionOf('*', subject) : action;
  }

  private actionOf(name: string, subject: Subject): Action | null | undefined {
    const part = this.names.get(name);
    return part === undefined ? null : part.match(subject);
  }
}

/** `xds.type.matcher.v3.IPMatcher`: the longest range first, and of equal ones that which is named first. */
class IpPart<Subject, Action> implements Part<Subject, Action> {
  private readonly input: MatchInput<Subject>;
  private readonly ranges: IpPrefixMap<{ exclusive: boolean; onMatch: Part<Subject, Action> }[]>;

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

  match(subject: Subject): Action | null | undefined {
    const text = this.input(subject);
    if (text === undefined) return undefined;
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

/** Undefined: it cannot be told. */
type Predicate<Subject> = (subject: Subject) => boolean | undefined;

function buildPredicate<Subject>(data: PredicateData, words: MatchVocabulary<Subject, unknown>): Predicate<Subject> {
  switch (data.kind) {
    case 'string': {
      const input = words.input(data.input);
      const test = words.string(data.string);
      return (subject) => {
        const text = input(subject);
        return text === undefined ? undefined : text !== null && test.matches(text);
      };
    }
    case 'ip': {
      const input = words.input(data.input);
      return (subject) => {
        const text = input(subject);
        if (text === undefined) return undefined;
        const address = text === null ? null : parseIp(text);
        return address !== null && data.ranges.some((range) => holds(range, address));
      };
    }
    case 'custom': {
      if (words.custom === undefined) throw new Error('a matcher without tests of its own');
      return words.custom(data.input, data.custom);
    }
    case 'not': {
      const predicate = buildPredicate(data.predicate, words);
      return (subject) => {
        const holds = predicate(subject);
        return holds === undefined ? undefined : !holds;
      };
    }
    case 'and':
    case 'or': {
      const predicates = data.predicates.map((predicate) => buildPredicate(predicate, words));
      return data.kind === 'and' ? allOf(predicates) : anyOf(predicates);
    }
  }
}

/** The first that does not hold decides. */
function allOf<Subject>(predicates: readonly Predicate<Subject>[]): Predicate<Subject> {
  return (subject) => {
    for (const predicate of predicates) {
      const holds = predicate(subject);
      if (holds !== true) return holds;
    }
    return true;
  };
}

/** The first that holds decides; what cannot be told counts where none does. */
function anyOf<Subject>(predicates: readonly Predicate<Subject>[]): Predicate<Subject> {
  return (subject) => {
    let none: false | undefined = false;
    for (const predicate of predicates) {
      const holds = predicate(subject);
      if (holds === true) return true;
      if (holds === undefined) none = undefined;
    }
    return none;
  };
}
