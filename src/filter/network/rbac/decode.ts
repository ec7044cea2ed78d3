import { durationMs } from '../../../core/duration.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { RBAC_EnforcementType, RBACSchema } from '../../../proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import { decodeEngine } from '../../rbac/decode-engine.ts';
import type { NetworkRbacData } from './network-rbac-data.ts';

const supported = new SupportedFields(RBACSchema, [
  'rules',
  'matcher',
  'shadow_rules',
  'shadow_matcher',
  'shadow_rules_stat_prefix',
  'stat_prefix',
  'enforcement_type',
  'delay_deny',
]);

/** `envoy.filters.network.rbac`. */
export const networkRbacDecoder: ExtensionDecoder = {
  kind: RBACSchema.typeName,
  decode(bytes, reasons): NetworkRbacData {
    const message = fromBinary(RBACSchema, bytes);
    supported.check(message, reasons);
    const { rules, matcher, shadowRules, shadowMatcher } = message;
    return {
      statPrefix: message.statPrefix,
      shadowRulesStatPrefix: message.shadowRulesStatPrefix,
      rules: decodeEngine(
        { message: rules, field: 'rules' },
        { message: matcher, field: 'matcher' },
        'network',
        reasons,
      ),
      shadowRules: decodeEngine(
        { message: shadowRules, field: 'shadow_rules' },
        { message: shadowMatcher, field: 'shadow_matcher' },
        'network',
        reasons,
      ),
      isContinuous: message.enforcementType === RBAC_EnforcementType.CONTINUOUS,
      delayMs: durationMs(message.delayDeny, 0),
    };
  },
};
