import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  CookieMatcherSchema,
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  type CookieMatcher,
  type HeaderMatcher,
  type QueryParameterMatcher,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import {
  RegexMatchAndSubstituteSchema,
  RegexMatcherSchema,
  type RegexMatchAndSubstitute,
  type RegexMatcher,
} from '../../proto/envoy/type/matcher/v3/regex_pb.js';
import { StringMatcherSchema, type StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { defaultMaxProgramSize, regexProblem } from '../regex.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import type { CookieMatcherData, HeaderMatcherData, QueryMatcherData, StringMatcherData } from './matcher-data.ts';

const regexFields = new SupportedFields(RegexMatcherSchema, ['google_re2', 'regex']);
const substituteFields = new SupportedFields(RegexMatchAndSubstituteSchema, ['pattern', 'substitution']);
const stringFields = new SupportedFields(StringMatcherSchema, [
  'exact',
  'prefix',
  'suffix',
  'safe_regex',
  'contains',
  'ignore_case',
]);
const headerFields = new SupportedFields(HeaderMatcherSchema, [
  'name',
  'exact_match',
  'safe_regex_match',
  'range_match',
  'present_match',
  'prefix_match',
  'suffix_match',
  'contains_match',
  'string_match',
  'invert_match',
  'treat_missing_header_as_empty',
]);
const queryFields = new SupportedFields(QueryParameterMatcherSchema, ['name', 'string_match', 'present_match']);
const cookieFields = new SupportedFields(CookieMatcherSchema, ['name', 'string_match', 'invert_match']);

/** A regular expression and what replaces its matches. */
export interface RegexRewriteData {
  readonly pattern: string;
  readonly substitution: string;
}

/** The pattern as wire text; reasons are added where Envoy would refuse it. `limit`: RE2's program size. */
export function decodeRegex(
  message: RegexMatcher | undefined,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): string {
  if (message === undefined) return '';
  regexFields.check(message, reasons);
  const pattern = wireText(message.regex);
  const ownLimit = message.engineType.case === 'googleRe2' ? (message.engineType.value.maxProgramSize ?? null) : null;
  const problem = regexProblem(pattern, limit, ownLimit);
  if (problem !== null) reasons.at('regex').add(problem);
  return pattern;
}

export function decodeRegexRewrite(
  message: RegexMatchAndSubstitute,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): RegexRewriteData {
  substituteFields.check(message, reasons);
  return {
    pattern: decodeRegex(message.pattern, reasons.at('pattern'), limit),
    substitution: wireText(message.substitution),
  };
}

export function decodeStringMatcher(
  message: StringMatcher | undefined,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): StringMatcherData {
  if (message === undefined) return { kind: 'exact', value: '', ignoreCase: false };
  stringFields.check(message, reasons);
  const { matchPattern, ignoreCase } = message;
  switch (matchPattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains': {
      const value = wireText(matchPattern.value);
      return { kind: matchPattern.case, value: ignoreCase ? lowerAscii(value) : value, ignoreCase };
    }
    case 'safeRegex':
      if (ignoreCase) reasons.at('ignore_case').add('ignore_case has no effect for safe_regex');
      return {
        kind: 'regex',
        value: decodeRegex(matchPattern.value, reasons.at('safe_regex'), limit),
        ignoreCase: false,
      };
    default:
      return { kind: 'exact', value: '', ignoreCase: false };
  }
}

/** For routes, filters and access logs alike. */
export function decodeHeaderMatcher(
  message: HeaderMatcher,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): HeaderMatcherData {
  headerFields.check(message, reasons);
  return {
    name: lowerAscii(wireText(message.name)),
    test: headerTest(message.headerMatchSpecifier, reasons, limit),
    invert: message.invertMatch,
    treatMissingAsEmpty: message.treatMissingHeaderAsEmpty,
  };
}

export function decodeHeaderMatchers(
  messages: readonly HeaderMatcher[],
  field: string,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): HeaderMatcherData[] {
  return messages.map((message, i) => decodeHeaderMatcher(message, reasons.at(field, i), limit));
}

function headerTest(
  specifier: HeaderMatcher['headerMatchSpecifier'],
  reasons: Reasons,
  limit: number,
): HeaderMatcherData['test'] {
  switch (specifier.case) {
    case 'stringMatch':
      return { kind: 'string', string: decodeStringMatcher(specifier.value, reasons.at('string_match'), limit) };
    case 'exactMatch':
      // Envoy: an empty exact_match matches any value.
      return flat(specifier.value === '' ? 'prefix' : 'exact', specifier.value);
    case 'prefixMatch':
      return flat('prefix', specifier.value);
    case 'suffixMatch':
      return flat('suffix', specifier.value);
    case 'containsMatch':
      return flat('contains', specifier.value);
    case 'safeRegexMatch': {
      const value = decodeRegex(specifier.value, reasons.at('safe_regex_match'), limit);
      return { kind: 'string', string: { kind: 'regex', value, ignoreCase: false } };
    }
    case 'rangeMatch':
      return { kind: 'range', start: specifier.value.start, end: specifier.value.end };
    case 'presentMatch':
      return { kind: 'present', present: specifier.value };
    default:
      return { kind: 'present', present: true };
  }
}

function flat(kind: StringMatcherData['kind'], value: string): HeaderMatcherData['test'] {
  return { kind: 'string', string: { kind, value: wireText(value), ignoreCase: false } };
}

export function decodeQueryMatcher(
  message: QueryParameterMatcher,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): QueryMatcherData {
  queryFields.check(message, reasons);
  const specifier = message.queryParameterMatchSpecifier;
  const name = wireText(message.name);
  if (specifier.case !== 'stringMatch') {
    return { name, test: { kind: 'present', present: specifier.case === 'presentMatch' ? specifier.value : true } };
  }
  const string = decodeStringMatcher(specifier.value, reasons.at('string_match'), limit);
  return { name, test: { kind: 'string', string } };
}

export function decodeCookieMatcher(
  message: CookieMatcher,
  reasons: Reasons,
  limit: number = defaultMaxProgramSize,
): CookieMatcherData {
  cookieFields.check(message, reasons);
  return {
    name: wireText(message.name),
    string: decodeStringMatcher(message.stringMatch, reasons.at('string_match'), limit),
    invert: message.invertMatch,
  };
}
