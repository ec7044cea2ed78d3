import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  RBACPerRouteSchema,
  RBACSchema,
  type RBAC,
} from '../../proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeEngine } from './decode-engine.ts';
import type { RbacData } from './rbac-data.ts';

const supported = new SupportedFields(RBACSchema, [
  'rules',
  'rules_stat_prefix',
  'matcher',
  'shadow_rules',
  'shadow_matcher',
  'shadow_rules_stat_prefix',
  'track_per_rule_stats',
]);
const perRouteFields = new SupportedFields(RBACPerRouteSchema, ['rbac']);

/** `envoy.filters.http.rbac`. */
export const rbacDecoder: ExtensionDecoder = {
  kind: RBACSchema.typeName,
  decode: (bytes, reasons) => decodeRbac(fromBinary(RBACSchema, bytes), reasons),
};

/** Of a route: without `rbac` nothing is enforced there. */
export const rbacPerRouteDecoder: ExtensionDecoder = {
  kind: RBACPerRouteSchema.typeName,
  decode(bytes, reasons): RbacData {
    const message = fromBinary(RBACPerRouteSchema, bytes);
    perRouteFields.check(message, reasons);
    return message.rbac === undefined ? noRules : decodeRbac(message.rbac, reasons.at('rbac'));
  },
};

const noRules: RbacData = {
  rules: null,
  shadowRules: null,
  rulesStatPrefix: '',
  shadowRulesStatPrefix: '',
  tracksRules: false,
};

function decodeRbac(message: RBAC, reasons: Reasons): RbacData {
  supported.check(message, reasons);
  const { rules, matcher, shadowRules, shadowMatcher } = message;
  return {
    rules: decodeEngine({ message: rules, field: 'rules' }, { message: matcher, field: 'matcher' }, 'HTTP', reasons),
    shadowRules: decodeEngine(
      { message: shadowRules, field: 'shadow_rules' },
      { message: shadowMatcher, field: 'shadow_matcher' },
      'HTTP',
      reasons,
    ),
    rulesStatPrefix: message.rulesStatPrefix,
    shadowRulesStatPrefix: message.shadowRulesStatPrefix,
    tracksRules: message.trackPerRuleStats,
  };
}
