import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import { findCookie } from '../../route/match/cookie-matcher.ts';
import { Regex } from '../../route/regex.ts';
import { Substitution } from '../../route/regex/substitution.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { HeaderToMetadataData, MetadataEntryData, MetadataRuleData } from './header-to-metadata-data.ts';

/** Envoy's: longer values are left out. */
const valueBytesMax = 8192;

/** One Config, of the filter or of a route, ready to be applied. */
export class MetadataRules {
  readonly request: readonly MetadataRule[];
  readonly response: readonly MetadataRule[];

  constructor(data: HeaderToMetadataData, context: FilterContext) {
    const scope =
      data.statPrefix === ''
        ? null
        : (context.rootStats ?? context.stats).scope('http_filter_name').scope(data.statPrefix);
    const [request, response] = [new RuleStats(scope, 'request'), new RuleStats(scope, 'response')];
    this.request = data.request.map((rule) => new MetadataRule(rule, request));
    this.response = data.response.map((rule) => new MetadataRule(rule, response));
  }
}

/** `envoy.filters.http.header_to_metadata`: headers and cookies become dynamic metadata. No state. */
export class HeaderToMetadataFilter implements HttpFilter, FilterFactory {
  private readonly rules: MetadataRules;
  private readonly filterName: string;

  constructor(rules: MetadataRules, context: FilterContext) {
    this.rules = rules;
    this.filterName = context.filterName;
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    for (const rule of this.rulesFor(stream).request) rule.apply(head, stream.outcome);
    return Verdict.Continue;
  }

  onResponseHead(stream: Stream, head: ResponseHead): Verdict {
    for (const rule of this.rulesFor(stream).response) rule.apply(head, stream.outcome);
    return Verdict.Continue;
  }

  private rulesFor(stream: Stream): MetadataRules {
    return (stream.perFilterConfig(this.filterName) as MetadataRules | undefined) ?? this.rules;
  }
}

/** What is never counted. */
const uncounted: Counter = { inc: () => {}, add: () => {} };

/** What becomes of the rules of one side. */
class RuleStats {
  readonly processed: Counter;
  readonly added: Counter;
  readonly notFound: Counter;
  readonly tooLong: Counter;
  readonly base64Failed: Counter;
  readonly substitutionFailed: Counter;

  /** @param scope null: nothing is counted */
  constructor(scope: StatsScope | null, side: 'request' | 'response') {
    const counter = (name: string): Counter => scope?.counter(name) ?? uncounted;
    this.processed = counter(`${side}_rules_processed`);
    this.added = counter(`${side}_metadata_added`);
    this.notFound = counter(`${side}_header_not_found`);
    this.tooLong = counter('header_value_too_long');
    this.base64Failed = counter('base64_decode_failed');
    this.substitutionFailed = counter('regex_substitution_failed');
  }
}

class MetadataRule {
  private readonly data: MetadataRuleData;
  private readonly stats: RuleStats;
  private readonly onPresent: MetadataEntry | null;
  private readonly onMissing: MetadataEntry | null;

  constructor(data: MetadataRuleData, stats: RuleStats) {
    this.data = data;
    this.stats = stats;
    this.onPresent = data.onPresent === null ? null : new MetadataEntry(data.onPresent, stats);
    this.onMissing = data.onMissing === null ? null : new MetadataEntry(data.onMissing, stats);
  }

  apply(head: RequestHead | ResponseHead, outcome: Outcome): void {
    const value = this.read(head);
    this.stats.processed.inc();
    if (value === null) {
      if (this.onMissing === null) return;
      this.stats.notFound.inc();
      this.onMissing.add('', outcome);
    } else this.onPresent?.add(value, outcome);
  }

  private read(head: RequestHead | ResponseHead): string | null {
    const { source, name, removes } = this.data;
    if (source === 'cookie') return findCookie(head.headers, name) || null;
    const { headers } = head;
    const at = headers.indexOf(name);
    // One field of that name is what there usually is.
    if (at >= 0 && headers.indexOf(name, at + 1) < 0) {
      const value = headers.values[at];
      if (removes) headers.remove(name);
      return value;
    }
    const values = head.getAll(name);
    if (values.length === 0) return null;
    if (removes) headers.remove(name);
    return values.join(',');
  }
}

class MetadataEntry {
  private readonly data: MetadataEntryData;
  private readonly stats: RuleStats;
  private readonly regex: Regex | null;
  private readonly substitution: Substitution | null;

  constructor(data: MetadataEntryData, stats: RuleStats) {
    this.data = data;
    this.stats = stats;
    this.regex = data.rewrite === null ? null : new Regex(data.rewrite.pattern);
    this.substitution = data.rewrite === null ? null : new Substitution(data.rewrite.substitution);
  }

  add(found: string, outcome: Outcome): void {
    const { namespace, key } = this.data;
    const value = this.valueOf(this.data.value === '' ? this.rewritten(found) : this.data.value);
    if (value === null) return;
    this.stats.added.inc();
    const metadata = (outcome.dynamicMetadata ??= new Map());
    const before = metadata.get(namespace) as object | undefined;
    metadata.set(namespace, before === undefined ? { [key]: value } : { ...before, [key]: value });
  }

  private rewritten(found: string): string {
    if (this.regex === null) return found;
    const text = this.regex.replaceAll(found, this.substitution!);
    if (text === '' && found !== '') this.stats.substitutionFailed.inc();
    return text;
  }

  /** Null: it is nothing that metadata could be. */
  private valueOf(text: string): string | number | null {
    if (text.length >= valueBytesMax) this.stats.tooLong.inc();
    if (text === '' || text.length >= valueBytesMax) return null;
    const decoded = this.data.isBase64 ? fromBase64(text) : text;
    if (decoded === '') {
      this.stats.base64Failed.inc();
      return null;
    }
    if (!this.data.isNumber) return decoded;
    const number = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(decoded) ? Number(decoded) : NaN;
    return Number.isNaN(number) ? null : number;
  }
}

/** Without padding, as Envoy's; empty where it is none. */
function fromBase64(text: string): string {
  const bare = text.replace(/=+$/, '');
  return /^[A-Za-z0-9+/]+$/.test(bare) && bare.length % 4 !== 1 ? atob(bare) : '';
}
