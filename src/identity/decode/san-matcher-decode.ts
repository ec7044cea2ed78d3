import { re2 } from '../../core/re2.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  SubjectAltNameMatcher_SanType as SanTypeNumber,
  SubjectAltNameMatcherSchema,
  type SubjectAltNameMatcher,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { RegexMatcherSchema, type RegexMatcher } from '../../proto/envoy/type/matcher/v3/regex_pb.js';
import { StringMatcherSchema, type StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { byteText, lowerAscii } from '../byte-text.ts';
import type { SanMatcherData, SanType } from '../secret-data.ts';

const supported = new SupportedFields(SubjectAltNameMatcherSchema, ['san_type', 'matcher', 'oid']);
const stringFields = new SupportedFields(StringMatcherSchema, [
  'exact',
  'prefix',
  'suffix',
  'safe_regex',
  'contains',
  'ignore_case',
]);
const regexFields = new SupportedFields(RegexMatcherSchema, ['google_re2', 'regex']);

/** Envoy's default of the runtime key `re2.max_program_size.error_level`. */
const programSizeMax = 100;

const typeNames: Readonly<Record<number, SanType>> = {
  [SanTypeNumber.EMAIL]: 'EMAIL',
  [SanTypeNumber.DNS]: 'DNS',
  [SanTypeNumber.URI]: 'URI',
  [SanTypeNumber.IP_ADDRESS]: 'IP_ADDRESS',
  [SanTypeNumber.OTHER_NAME]: 'OTHER_NAME',
};

/** The types that the older `match_subject_alt_names` looks at, each name by itself. */
const untyped: readonly SanType[] = ['DNS', 'URI', 'EMAIL', 'IP_ADDRESS'];

const dotted = /^[0-2](\.(0|[1-9]\d*))+$/;

export function decodeSanMatchers(messages: readonly SubjectAltNameMatcher[], reasons: Reasons): SanMatcherData[] {
  return messages.map((message, i) => {
    const at = reasons.at('match_typed_subject_alt_names', i);
    supported.check(message, at);
    const type = typeNames[message.sanType] ?? 'DNS';
    if (type === 'OTHER_NAME' && !dotted.test(message.oid))
      at.at('oid').add(`Failed to create SAN matcher for OTHER_NAME with OID: ${message.oid}`);
    const oid = type === 'OTHER_NAME' ? message.oid : '';
    return { type, oid, match: decodeText(message.matcher, at.at('matcher')) };
  });
}

export function decodeUntypedSanMatchers(messages: readonly StringMatcher[], reasons: Reasons): SanMatcherData[] {
  return messages.flatMap((message, i) => {
    const match = decodeText(message, reasons.at('match_subject_alt_names', i));
    return untyped.map((type) => ({ type, oid: '', match }));
  });
}

function decodeText(message: StringMatcher | undefined, reasons: Reasons): SanMatcherData['match'] {
  if (message === undefined) return { kind: 'exact', value: '', ignoreCase: false };
  stringFields.check(message, reasons);
  const { matchPattern, ignoreCase } = message;
  switch (matchPattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains': {
      const value = byteText(matchPattern.value);
      return { kind: matchPattern.case, value: ignoreCase ? lowerAscii(value) : value, ignoreCase };
    }
    case 'safeRegex':
      if (ignoreCase) reasons.at('ignore_case').add('ignore_case has no effect for safe_regex');
      return {
        kind: 'regex',
        value: decodeRegex(matchPattern.value, reasons.at('safe_regex')),
        ignoreCase: false,
      };
    default:
      return { kind: 'exact', value: '', ignoreCase: false };
  }
}

function decodeRegex(message: RegexMatcher, reasons: Reasons): string {
  regexFields.check(message, reasons);
  const pattern = byteText(message.regex);
  try {
    const size = re2().RE2JS.compile(pattern).programSize();
    const own = message.engineType.case === 'googleRe2' ? message.engineType.value.maxProgramSize : undefined;
    const limit = own ?? programSizeMax;
    if (size > limit)
      reasons
        .at('regex')
        .add(
          `regex '${pattern}' RE2 program size of ${size} > max program size of ${limit}. Increase configured max program size if necessary`,
        );
  } catch (error) {
    if (!(error instanceof re2().RE2JSException)) throw error;
    reasons.at('regex').add(error.message.replace(/^error parsing regexp: /, ''));
  }
  return pattern;
}
