import { parseIp } from '../../core/ip-address.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeSanMatchers } from '../../identity/decode/san-matcher-decode.ts';
import { decodeExpression, decodeExpressionOptions } from '../../observe/expression/decode.ts';
import type { ExpressionData } from '../../observe/expression/expression-data.ts';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  MetadataSource,
  PermissionSchema,
  PolicySchema,
  Principal_AuthenticatedSchema,
  PrincipalSchema,
  SourcedMetadataSchema,
  type Permission,
  type Policy,
  type Principal,
  type SourcedMetadata,
} from '../../proto/envoy/config/rbac/v3/rbac_pb.js';
import { UriTemplateMatchConfigSchema } from '../../proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import { ConfigSchema } from '../../proto/envoy/extensions/rbac/principals/mtls_authenticated/v3/mtls_authenticated_pb.js';
import { PathMatcherSchema, type PathMatcher } from '../../proto/envoy/type/matcher/v3/path_pb.js';
import type { Int32Range } from '../../proto/envoy/type/v3/range_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHeaderMatcher, decodeStringMatcher } from '../../route/match/decode.ts';
import { decodeFilterStateMatcher, decodeMetadataMatcher } from '../../route/match/state-decode.ts';
import { defaultMaxProgramSize } from '../../route/regex.ts';
import { templateProblem } from '../../route/uri-template.ts';
import type { AddressOf, PolicyData, RuleData } from './rbac-data.ts';

const policyFields = new SupportedFields(PolicySchema, [
  'permissions',
  'principals',
  'condition',
  'checked_condition',
  'cel_config',
]);
const permissionFields = new SupportedFields(PermissionSchema, [
  'and_rules',
  'or_rules',
  'any',
  'header',
  'url_path',
  'destination_ip',
  'destination_port',
  'destination_port_range',
  'metadata',
  'not_rule',
  'requested_server_name',
  'uri_template',
  'sourced_metadata',
]);
const principalFields = new SupportedFields(PrincipalSchema, [
  'and_ids',
  'or_ids',
  'any',
  'authenticated',
  'source_ip',
  'direct_remote_ip',
  'remote_ip',
  'header',
  'url_path',
  'metadata',
  'filter_state',
  'not_id',
  'sourced_metadata',
  'custom',
]);
const authenticatedFields = new SupportedFields(Principal_AuthenticatedSchema, ['principal_name']);
const sourcedFields = new SupportedFields(SourcedMetadataSchema, ['metadata_matcher', 'metadata_source']);
const pathFields = new SupportedFields(PathMatcherSchema, ['path']);
const templateFields = new SupportedFields(UriTemplateMatchConfigSchema, ['path_template']);
const mtlsFields = new SupportedFields(ConfigSchema, ['san_matcher', 'any_validated_client_certificate']);

/** What is refused matches nothing. */
const nothing: RuleData = { kind: 'or', rules: [] };
const portMax = 65_536;

export function decodePolicy(name: string, message: Policy, reasons: Reasons): PolicyData {
  policyFields.check(message, reasons);
  return {
    name,
    permissions: message.permissions.map((one, i) => decodePermission(one, reasons.at('permissions', i))),
    principals: message.principals.map((one, i) => decodePrincipal(one, reasons.at('principals', i))),
    condition: decodeCondition(message, reasons),
  };
}

function decodeCondition(message: Policy, reasons: Reasons): ExpressionData | null {
  const { condition, checkedCondition, celConfig } = message;
  const options = decodeExpressionOptions(celConfig, reasons.at('cel_config'));
  if (checkedCondition !== undefined)
    return decodeExpression(checkedCondition.expr, options, reasons.at('checked_condition'));
  return condition === undefined ? null : decodeExpression(condition, options, reasons.at('condition'));
}

export function decodePermission(message: Permission, reasons: Reasons): RuleData {
  permissionFields.check(message, reasons);
  const { rule } = message;
  switch (rule.case) {
    case 'andRules':
    case 'orRules': {
      const kind = rule.case === 'andRules' ? 'and' : 'or';
      const at = reasons.at(`${kind}_rules`);
      return { kind, rules: rule.value.rules.map((one, i) => decodePermission(one, at.at('rules', i))) };
    }
    case 'notRule':
      return { kind: 'not', rule: decodePermission(rule.value, reasons.at('not_rule')) };
    case 'destinationIp':
      return decodeAddress('destination', rule.value, reasons.at('destination_ip'));
    case 'destinationPort':
      return { kind: 'port', start: rule.value, end: rule.value + 1 };
    case 'destinationPortRange':
      return decodePorts(rule.value, reasons.at('destination_port_range'));
    case 'requestedServerName':
      return { kind: 'server-name', name: decodeStringMatcher(rule.value, reasons.at('requested_server_name')) };
    case 'uriTemplate':
      return decodeTemplate(rule.value, reasons.at('uri_template'));
    case 'matcher':
      return nothing;
    default:
      return decodeEither(rule, reasons);
  }
}

export function decodePrincipal(message: Principal, reasons: Reasons): RuleData {
  principalFields.check(message, reasons);
  const { identifier } = message;
  switch (identifier.case) {
    case 'andIds':
    case 'orIds': {
      const kind = identifier.case === 'andIds' ? 'and' : 'or';
      const at = reasons.at(`${kind}_ids`);
      return { kind, rules: identifier.value.ids.map((one, i) => decodePrincipal(one, at.at('ids', i))) };
    }
    case 'notId':
      return { kind: 'not', rule: decodePrincipal(identifier.value, reasons.at('not_id')) };
    case 'authenticated': {
      const at = reasons.at('authenticated');
      authenticatedFields.check(identifier.value, at);
      const { principalName } = identifier.value;
      const name = principalName === undefined ? null : decodeStringMatcher(principalName, at.at('principal_name'));
      return { kind: 'authenticated', name };
    }
    case 'sourceIp':
      return decodeAddress('connection', identifier.value, reasons.at('source_ip'));
    case 'directRemoteIp':
      return decodeAddress('direct', identifier.value, reasons.at('direct_remote_ip'));
    case 'remoteIp':
      return decodeAddress('remote', identifier.value, reasons.at('remote_ip'));
    case 'filterState': {
      const at = reasons.at('filter_state');
      return { kind: 'filter-state', state: decodeFilterStateMatcher(identifier.value, at, defaultMaxProgramSize) };
    }
    case 'custom':
      return decodeCustom(identifier.value, reasons.at('custom'));
    default:
      return decodeEither(identifier, reasons);
  }
}

type Either = Extract<
  Permission['rule'] | Principal['identifier'],
  { case: 'any' | 'header' | 'urlPath' | 'metadata' | 'sourcedMetadata' | undefined }
>;

/** What permissions and principals ask alike. */
function decodeEither(rule: Either, reasons: Reasons): RuleData {
  switch (rule.case) {
    case 'any':
      return { kind: 'any' };
    case 'header':
      return { kind: 'header', header: decodeHeaderMatcher(rule.value, reasons.at('header')) };
    case 'urlPath':
      return decodePath(rule.value, reasons.at('url_path'));
    case 'metadata':
      return {
        kind: 'metadata',
        of: 'dynamic',
        metadata: decodeMetadataMatcher(rule.value, reasons.at('metadata')),
      };
    case 'sourcedMetadata':
      return decodeSourced(rule.value, reasons.at('sourced_metadata'));
    default:
      reasons.add('needs one kind of rule');
      return nothing;
  }
}

function decodePath(message: PathMatcher, reasons: Reasons): RuleData {
  pathFields.check(message, reasons);
  const path = message.rule.case === 'path' ? message.rule.value : undefined;
  return { kind: 'path', path: decodeStringMatcher(path, reasons.at('path')) };
}

function decodeSourced(message: SourcedMetadata, reasons: Reasons): RuleData {
  sourcedFields.check(message, reasons);
  if (message.metadataMatcher === undefined) {
    reasons.at('metadata_matcher').add('is required');
    return nothing;
  }
  const of = message.metadataSource === MetadataSource.ROUTE ? 'route' : 'dynamic';
  return {
    kind: 'metadata',
    of,
    metadata: decodeMetadataMatcher(message.metadataMatcher, reasons.at('metadata_matcher')),
  };
}

/** As in Envoy a mask that is too long is a whole address. */
function decodeAddress(
  of: AddressOf,
  {
    addressPrefix: address,
    prefixLen = 0,
  }: { readonly addressPrefix: string; readonly prefixLen?: number | undefined },
  reasons: Reasons,
): RuleData {
  const bytes = parseIp(address);
  if (bytes === null) {
    reasons.add(`Failed to create CIDR range: malformed IP address: ${address}`);
    return nothing;
  }
  return { kind: 'address', of, range: { address, length: Math.min(prefixLen, 8 * bytes.length) } };
}

/** Envoy's words. */
function decodePorts({ start, end }: Int32Range, reasons: Reasons): RuleData {
  if (start < 0 || start > portMax) reasons.add(`range start ${start} is out of bounds`);
  else if (end < 0 || end > portMax) reasons.add(`range end ${end} is out of bounds`);
  else if (start >= end) reasons.add(`range start ${start} cannot be greater or equal than range end ${end}`);
  return { kind: 'port', start, end };
}

function decodeTemplate(config: TypedExtensionConfig, reasons: Reasons): RuleData {
  const bytes = opened(config, UriTemplateMatchConfigSchema.typeName, 'path matcher', reasons);
  if (bytes === null) return nothing;
  const message = fromBinary(UriTemplateMatchConfigSchema, bytes);
  const at = reasons.at('typed_config');
  templateFields.check(message, at);
  const template = message.pathTemplate;
  const problem = templateProblem(template);
  if (problem === null) return { kind: 'uri-template', template };
  at.at('path_template').add(`path_match_policy.path_template ${template} is invalid: ${problem}`);
  return nothing;
}

/** `envoy.rbac.principals.mtls_authenticated`. */
function decodeCustom(config: TypedExtensionConfig, reasons: Reasons): RuleData {
  const bytes = opened(config, ConfigSchema.typeName, 'principal', reasons);
  if (bytes === null) return nothing;
  const message = fromBinary(ConfigSchema, bytes);
  const at = reasons.at('typed_config');
  mtlsFields.check(message, at);
  if (message.sanMatcher === undefined) {
    if (!message.anyValidatedClientCertificate)
      at.add(
        'envoy.rbac.principals.mtls_authenticated did not have any configured validation. At least one configuration field must be set.',
      );
    return { kind: 'mtls', san: null };
  }
  const [san] = decodeSanMatchers([message.sanMatcher], at.at('san_matcher'));
  if (san.type === 'OTHER_NAME') at.at('san_matcher').add('other names are not supported by sekisho here');
  return { kind: 'mtls', san };
}

/** Null: it is of another type, and the reason was added. */
function opened(config: TypedExtensionConfig, kind: string, what: string, reasons: Reasons): Uint8Array | null {
  const typeUrl = config.typedConfig?.typeUrl ?? '';
  const found = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  if (config.typedConfig !== undefined && found === kind) return config.typedConfig.value;
  reasons.at('typed_config').add(`${what} '${config.name}' of type '${found}' is not supported by sekisho`);
  return null;
}
