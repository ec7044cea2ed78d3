import type { ExtensionDecoder, Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  ExtractOnlyWithoutValidationSchema,
  FilterStateRuleSchema,
  JwtAuthenticationSchema,
  JwtRequirementSchema,
  PerRouteConfigSchema,
  ProviderWithAudiencesSchema,
  RequirementRuleSchema,
  type JwtAuthentication,
  type JwtRequirement,
  type RequirementRule,
} from '../../proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { RouteMatch } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeConditions, decodePathMatch } from '../../route/decode/route-match-decode.ts';
import { defaultMaxProgramSize } from '../../route/regex.ts';
import { lowerAscii } from '../../route/wire-text.ts';
import { decodeProvider } from './decode-provider.ts';
import type {
  JwtAuthnData,
  JwtPerRouteData,
  JwtRequirementData,
  JwtRuleData,
  NamedRequirementData,
} from './jwt-authn-data.ts';

const supported = new SupportedFields(JwtAuthenticationSchema, [
  'providers',
  'rules',
  'filter_state_rules',
  'bypass_cors_preflight',
  'requirement_map',
  'strip_failure_response',
  'stat_prefix',
]);
const ruleFields = new SupportedFields(RequirementRuleSchema, ['match', 'requires', 'requirement_name']);
const requirementFields = new SupportedFields(JwtRequirementSchema, [
  'provider_name',
  'provider_and_audiences',
  'requires_any',
  'requires_all',
  'allow_missing_or_failed',
  'allow_missing',
  'extract_only_without_validation',
]);
const extractFields = new SupportedFields(ExtractOnlyWithoutValidationSchema, ['verification_status_header']);
const audiencesFields = new SupportedFields(ProviderWithAudiencesSchema, ['provider_name', 'audiences']);
const filterStateFields = new SupportedFields(FilterStateRuleSchema, ['name', 'requires']);
const perRouteFields = new SupportedFields(PerRouteConfigSchema, ['disabled', 'requirement_name']);

export const jwtAuthnDecoder: ExtensionDecoder = {
  kind: JwtAuthenticationSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons, extensions: Extensions): JwtAuthnData {
    const message = fromBinary(JwtAuthenticationSchema, bytes);
    supported.check(message, reasons);
    return new Decoding(message, extensions).decode(reasons);
  },
};

export const jwtPerRouteDecoder: ExtensionDecoder = {
  kind: PerRouteConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): JwtPerRouteData {
    const message = fromBinary(PerRouteConfigSchema, bytes);
    perRouteFields.check(message, reasons);
    const { requirementSpecifier: specifier } = message;
    if (specifier.case === 'disabled' && specifier.value) return { requirement: null };
    return { requirement: specifier.case === 'requirementName' ? specifier.value : '' };
  },
};

/** One filter's message. */
class Decoding {
  private readonly message: JwtAuthentication;
  private readonly extensions: Extensions;

  constructor(message: JwtAuthentication, extensions: Extensions) {
    this.message = message;
    this.extensions = extensions;
  }

  decode(reasons: Reasons): JwtAuthnData {
    const { message } = this;
    const { filterStateRules } = message;
    if (filterStateRules !== undefined) filterStateFields.check(filterStateRules, reasons.at('filter_state_rules'));
    return {
      providers: byName(message.providers).map(([name, provider]) =>
        decodeProvider(name, provider, reasons.at('providers', name)),
      ),
      rules: message.rules.map((rule, i) => this.rule(rule, reasons.at('rules', i))),
      filterState:
        filterStateRules === undefined
          ? null
          : {
              name: filterStateRules.name,
              requirements: this.named(filterStateRules.requires, 'requires', reasons.at('filter_state_rules')),
            },
      requirements: this.named(message.requirementMap, 'requirement_map', reasons),
      bypassCorsPreflight: message.bypassCorsPreflight,
      stripFailureResponse: message.stripFailureResponse,
      statPrefix: message.statPrefix,
    };
  }

  private named(
    map: Readonly<Record<string, JwtRequirement>>,
    field: string,
    reasons: Reasons,
  ): readonly NamedRequirementData[] {
    return byName(map).map(([name, requirement]) => ({
      name,
      requirement: this.requirement(requirement, reasons.at(field, name)),
    }));
  }

  private rule(message: RequirementRule, reasons: Reasons): JwtRuleData {
    ruleFields.check(message, reasons);
    const decoding = { extensions: this.extensions, maxProgramSize: defaultMaxProgramSize, directBodyMax: 0 };
    const at = reasons.at('match');
    const match = message.match!;
    refuseUnread(match, at);
    return {
      path: decodePathMatch(match, at, decoding),
      conditions: decodeConditions(match, at, decoding),
      requirement: this.ofRule(message, reasons),
    };
  }

  private ofRule({ requirementType: type }: RequirementRule, reasons: Reasons): JwtRequirementData | null {
    switch (type.case) {
      case 'requires':
        return this.requirement(type.value, reasons.at('requires'));
      case 'requirementName': {
        const { requirementMap } = this.message;
        if (Object.hasOwn(requirementMap, type.value))
          return this.requirement(requirementMap[type.value], reasons.at('requirement_name'));
        const names = Object.keys(requirementMap).toSorted().join(',');
        reasons.at('requirement_name').add(`Wrong requirement_name: ${type.value}. It should be one of [${names}]`);
        return null;
      }
      default:
        return null;
    }
  }

  private requirement(message: JwtRequirement, reasons: Reasons): JwtRequirementData {
    requirementFields.check(message, reasons);
    const { requiresType: type } = message;
    switch (type.case) {
      case 'providerName':
        return this.ofProvider(type.value, [], reasons.at('provider_name'));
      case 'providerAndAudiences': {
        const at = reasons.at('provider_and_audiences');
        audiencesFields.check(type.value, at);
        return this.ofProvider(type.value.providerName, type.value.audiences, at.at('provider_name'));
      }
      case 'requiresAny':
        return { kind: 'any', requirements: this.list(type.value.requirements, reasons.at('requires_any')) };
      case 'requiresAll':
        return { kind: 'all', requirements: this.list(type.value.requirements, reasons.at('requires_all')) };
      case 'allowMissing':
        return { kind: 'allowMissing' };
      case 'allowMissingOrFailed':
        return { kind: 'allowMissingOrFailed' };
      case 'extractOnlyWithoutValidation':
        extractFields.check(type.value, reasons.at('extract_only_without_validation'));
        return { kind: 'extractOnly', failureHeader: lowerAscii(type.value.verificationStatusHeader) };
      default:
        return { kind: 'none' };
    }
  }

  private list(messages: readonly JwtRequirement[], reasons: Reasons): JwtRequirementData[] {
    return messages.map((message, i) => this.requirement(message, reasons.at('requirements', i)));
  }

  private ofProvider(provider: string, audiences: readonly string[], reasons: Reasons): JwtRequirementData {
    if (!Object.hasOwn(this.message.providers, provider))
      reasons.add(`Required provider ['${provider}'] is not configured.`);
    return { kind: 'provider', provider, audiences };
  }
}

/** What a rule of Envoy's takes and does not look at would let through, or hold up, what nobody expects. */
function refuseUnread(match: RouteMatch, reasons: Reasons): void {
  if (match.runtimeFraction !== undefined) reasons.unsupported('runtime_fraction', unread);
  if (match.grpc !== undefined) reasons.unsupported('grpc', unread);
  if (match.tlsContext !== undefined) reasons.unsupported('tls_context', unread);
  if (match.cookies.length > 0) reasons.unsupported('cookies', unread);
  if (match.dynamicMetadata.length > 0) reasons.unsupported('dynamic_metadata', unread);
  if (match.filterState.length > 0) reasons.unsupported('filter_state', unread);
}

const unread = 'is not read by Envoy in a rule of jwt_authn, and so not supported by sekisho';

/** A map has no order: names give it one. */
function byName<Value>(map: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
