import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  HeaderMutationRulesSchema,
  type HeaderMutationRules,
} from '../../../proto/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js';
import type { RegexMatcher } from '../../../proto/envoy/type/matcher/v3/regex_pb.js';
import { decodeRegex } from '../../../route/match/decode.ts';
import type { StringMatcherData } from '../../../route/match/matcher-data.ts';
import type { MutationRulesData } from './mutation-rules-data.ts';

const supported = new SupportedFields(HeaderMutationRulesSchema, [
  'allow_all_routing',
  'allow_envoy',
  'disallow_system',
  'disallow_all',
  'allow_expression',
  'disallow_expression',
  'disallow_is_error',
]);

export function decodeMutationRules(message: HeaderMutationRules, reasons: Reasons): MutationRulesData {
  supported.check(message, reasons);
  return {
    allowsAllRouting: message.allowAllRouting ?? false,
    allowsEnvoy: message.allowEnvoy ?? false,
    disallowsSystem: message.disallowSystem ?? false,
    disallowsAll: message.disallowAll ?? false,
    allowed: expression(message.allowExpression, reasons.at('allow_expression')),
    disallowed: expression(message.disallowExpression, reasons.at('disallow_expression')),
    isError: message.disallowIsError ?? false,
  };
}

function expression(message: RegexMatcher | undefined, reasons: Reasons): StringMatcherData | null {
  if (message === undefined) return null;
  return { kind: 'regex', value: decodeRegex(message, reasons), ignoreCase: false };
}
