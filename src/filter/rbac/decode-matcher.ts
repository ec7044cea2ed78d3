import type { PackedMessage } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeMatcher } from '../../match/decode.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import { decodeValue } from '../../observe/access-log/filter-decode.ts';
import { checking } from '../../observe/expression/decode.ts';
import { checkedExpression, names } from '../../observe/expression/expression-check.ts';
import type { ExpressionData } from '../../observe/expression/expression-data.ts';
import { ActionSchema, RBAC_Action } from '../../proto/envoy/config/rbac/v3/rbac_pb.js';
import {
  DynamicMetadataInputSchema,
  FilterStateInputSchema,
} from '../../proto/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js';
import { MetadataSchema } from '../../proto/envoy/extensions/matching/input_matchers/metadata/v3/metadata_pb.js';
import { HttpRequestHeaderMatchInputSchema } from '../../proto/envoy/type/matcher/v3/http_inputs_pb.js';
import type { StringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { CelMatcherSchema } from '../../proto/xds/type/matcher/v3/cel_pb.js';
import { HttpAttributesCelMatchInputSchema } from '../../proto/xds/type/matcher/v3/http_inputs_pb.js';
import type { Matcher } from '../../proto/xds/type/matcher/v3/matcher_pb.js';
import { CelExpressionSchema, type CelExpression } from '../../proto/xds/type/v3/cel_pb.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import { isRbacNetworkInput } from './inputs.ts';
import type { RbacActionData, RbacInputData, RbacTestData } from './rbac-data.ts';

const metadataInputFields = new SupportedFields(DynamicMetadataInputSchema, ['filter', 'path']);
const stateInputFields = new SupportedFields(FilterStateInputSchema, ['key']);
const headerInputFields = new SupportedFields(HttpRequestHeaderMatchInputSchema, ['header_name']);
const metadataTestFields = new SupportedFields(MetadataSchema, ['value', 'invert']);
const celFields = new SupportedFields(CelMatcherSchema, ['expr_match'], ['description']);
const expressionFields = new SupportedFields(CelExpressionSchema, [
  'parsed_expr',
  'checked_expr',
  'cel_expr_parsed',
  'cel_expr_checked',
]);
const actionFields = new SupportedFields(ActionSchema, ['name', 'action']);

const inputPackages = /^envoy\.extensions\.matching\.common_inputs\.(?:network|ssl)\.v3\./;

/** `matcher` or `shadow_matcher`. `where`: which of Envoy's two filters, since each takes inputs of its own. */
export function decodeRbacMatcher(message: Matcher, where: 'HTTP' | 'network', reasons: Reasons): MatcherData {
  return decodeMatcher(message, reasons, {
    decodeInput: (name, config, at) => decodeInput(name, config, where, at),
    decodeString: (string, at) => decodeStringMatcher(string as unknown as StringMatcher, at),
    decodeAction,
    decodeCustom: (_name, config, at) => decodeTest(config, at),
  });
}

function kindOf({ typeUrl }: PackedMessage): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

function decodeInput(
  name: string,
  config: PackedMessage,
  where: 'HTTP' | 'network',
  reasons: Reasons,
): RbacInputData | null {
  const kind = kindOf(config);
  const at = reasons.at('typed_config');
  const short = kind.replace(inputPackages, '');
  if (short !== kind && isRbacNetworkInput(short)) return { kind: 'network', name: short };
  if (kind === FilterStateInputSchema.typeName) {
    const input = fromBinary(FilterStateInputSchema, config.value);
    stateInputFields.check(input, at);
    return { kind: 'filter-state', key: input.key };
  }
  if (where === 'HTTP') {
    const input = decodeHttpInput(kind, config.value, at);
    if (input !== null) return input;
  }
  const known =
    where === 'HTTP' ? `RBAC HTTP filter cannot match on '${kind}'` : `RBAC network filter cannot match '${kind}'`;
  at.add(`requirement violation while creating RBAC match tree: INVALID_ARGUMENT: ${known} (input '${name}')`);
  return null;
}

/** Null: it is none of these. */
function decodeHttpInput(kind: string, bytes: Uint8Array, reasons: Reasons): RbacInputData | null {
  switch (kind) {
    case HttpRequestHeaderMatchInputSchema.typeName: {
      const input = fromBinary(HttpRequestHeaderMatchInputSchema, bytes);
      headerInputFields.check(input, reasons);
      return { kind: 'header', name: lowerAscii(wireText(input.headerName)) };
    }
    case DynamicMetadataInputSchema.typeName: {
      const input = fromBinary(DynamicMetadataInputSchema, bytes);
      metadataInputFields.check(input, reasons);
      return { kind: 'metadata', filter: input.filter, path: input.path.map(({ segment }) => segment.value ?? '') };
    }
    case HttpAttributesCelMatchInputSchema.typeName:
      return { kind: 'attributes' };
    default:
      return null;
  }
}

/** Null: it is none of these. */
function decodeTest(config: PackedMessage, reasons: Reasons): RbacTestData | null {
  switch (kindOf(config)) {
    case CelMatcherSchema.typeName: {
      const message = fromBinary(CelMatcherSchema, config.value);
      celFields.check(message, reasons);
      const expression = decodeCel(message.exprMatch, reasons.at('expr_match'));
      // Refused: whatever stands here, the reason was added.
      return expression === null
        ? { kind: 'metadata', value: { kind: 'or', any: [] }, invert: false }
        : { kind: 'expression', expression };
    }
    case MetadataSchema.typeName: {
      const message = fromBinary(MetadataSchema, config.value);
      metadataTestFields.check(message, reasons);
      const value = message.value === undefined ? null : decodeValue(message.value, reasons.at('value'));
      return { kind: 'metadata', value: value ?? { kind: 'or', any: [] }, invert: message.invert };
    }
    default:
      return null;
  }
}

function decodeCel(message: CelExpression | undefined, reasons: Reasons): ExpressionData | null {
  if (message === undefined) {
    reasons.add('is required');
    return null;
  }
  expressionFields.check(message, reasons);
  const { celExprChecked, celExprParsed, exprSpecifier } = message;
  const source = celExprChecked?.expr ?? celExprParsed?.expr ?? exprSpecifier.value?.expr;
  const data = checking(() => checkedExpression(source), reasons);
  // Envoy denies all requests by it, since nothing is known of the answer yet.
  if (data !== null && names(data.root, 'response')) {
    reasons.add("'response' is not there yet when RBAC decides");
    return null;
  }
  return data;
}

function decodeAction(name: string, config: PackedMessage, reasons: Reasons): RbacActionData {
  const at = reasons.at('typed_config');
  if (kindOf(config) !== ActionSchema.typeName) {
    at.add(`matcher action '${name}' of type '${kindOf(config)}' is not supported by sekisho`);
    return { name, action: 'DENY' };
  }
  const message = fromBinary(ActionSchema, config.value);
  actionFields.check(message, at);
  return { name: message.name, action: RBAC_Action[message.action] as RbacActionData['action'] };
}
