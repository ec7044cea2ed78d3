import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { RBAC_Action, RBACSchema, type RBAC } from '../../proto/envoy/config/rbac/v3/rbac_pb.js';
import type { Matcher } from '../../proto/xds/type/matcher/v3/matcher_pb.js';
import { wireText } from '../../route/wire-text.ts';
import { decodePolicy } from './decode-rules.ts';
import { decodeRbacMatcher } from './decode-matcher.ts';
import type { EngineData, PolicyData, RbacAction, RuleData } from './rbac-data.ts';

// Envoy accepts audit loggers without acting on them: the field is marked as not implemented.
const engineFields = new SupportedFields(RBACSchema, ['action', 'policies'], ['audit_logging_options']);

/** One half of a filter: `rules` or else `matcher`, or their shadows. Null: neither is there. */
export function decodeEngine(
  rules: { readonly message: RBAC | undefined; readonly field: string },
  matcher: { readonly message: Matcher | undefined; readonly field: string },
  where: 'HTTP' | 'network',
  reasons: Reasons,
): EngineData | null {
  // As in Envoy a matcher goes before rules.
  if (matcher.message !== undefined)
    return { kind: 'matcher', matcher: decodeRbacMatcher(matcher.message, where, reasons.at(matcher.field)) };
  return rules.message === undefined ? null : decodeRules(rules.message, where, reasons.at(rules.field));
}

function decodeRules(message: RBAC, where: 'HTTP' | 'network', reasons: Reasons): EngineData {
  engineFields.check(message, reasons);
  const policies = Object.entries(message.policies)
    .map(([name, policy]) => decodePolicy(name, policy, reasons.at('policies', name)))
    .sort((a, b) => (wireText(a.name) < wireText(b.name) ? -1 : 1));
  if (where === 'network') for (const policy of policies) refuseHeaders(policy, reasons.at('policies', policy.name));
  return { kind: 'policies', action: RBAC_Action[message.action] as RbacAction, policies };
}

/** A connection has none. */
function refuseHeaders({ permissions, principals }: PolicyData, reasons: Reasons): void {
  if ([...permissions, ...principals].some(asksHeaders))
    reasons.add('Found header rule,not supported by RBAC network filter');
}

function asksHeaders(rule: RuleData): boolean {
  if (rule.kind === 'and' || rule.kind === 'or') return rule.rules.some(asksHeaders);
  return rule.kind === 'not' ? asksHeaders(rule.rule) : rule.kind === 'header';
}
