import type { PackedMessage } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeMatcher } from '../../match/decode.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import {
  EndpointMetadataInputSchema,
  LocalityMetadataInputSchema,
  TransportSocketNameActionSchema,
} from '../../proto/envoy/extensions/matching/common_inputs/transport_socket/v3/transport_socket_inputs_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { Matcher } from '../../proto/xds/type/matcher/v3/matcher_pb.js';
import { StringMatcherSchema, type StringMatcher } from '../../proto/xds/type/matcher/v3/string_pb.js';
import type { MetadataInputData, TextTestData } from './transport-choice.ts';

const supportedEndpoint = new SupportedFields(EndpointMetadataInputSchema, ['filter', 'path']);
const supportedLocality = new SupportedFields(LocalityMetadataInputSchema, ['filter', 'path']);
const supportedAction = new SupportedFields(TransportSocketNameActionSchema, ['name']);
const supportedString = new SupportedFields(StringMatcherSchema, [
  'exact',
  'prefix',
  'suffix',
  'contains',
  'ignore_case',
]);

/** Envoy's. */
const defaultFilter = 'envoy.lb';

/** `transport_socket_matcher`: a host's transport socket by name. Null: there is none. */
export function decodeTransportMatcher(message: Matcher | undefined, reasons: Reasons): MatcherData | null {
  return message === undefined ? null : decodeMatcher(message, reasons, { decodeInput, decodeAction, decodeString });
}

function decodeInput(name: string, { typeUrl, value }: PackedMessage, reasons: Reasons): MetadataInputData {
  const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const at = reasons.at('typed_config');
  if (kind === EndpointMetadataInputSchema.typeName) {
    const input = fromBinary(EndpointMetadataInputSchema, value);
    supportedEndpoint.check(input, at);
    return metadataInput('endpoint', input);
  }
  if (kind === LocalityMetadataInputSchema.typeName) {
    const input = fromBinary(LocalityMetadataInputSchema, value);
    supportedLocality.check(input, at);
    return metadataInput('locality', input);
  }
  at.add(`matcher input '${name}' of type '${kind}' is not supported by sekisho`);
  return { of: 'endpoint', filter: '', path: [] };
}

function metadataInput(
  of: MetadataInputData['of'],
  input: {
    readonly filter: string;
    readonly path: readonly { readonly segment: { readonly value?: string | undefined } }[];
  },
): MetadataInputData {
  const path = input.path.map(({ segment }) => segment.value ?? '');
  return { of, filter: input.filter === '' ? defaultFilter : input.filter, path };
}

function decodeAction(name: string, { typeUrl, value }: PackedMessage, reasons: Reasons): string {
  const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const at = reasons.at('typed_config');
  if (kind === TransportSocketNameActionSchema.typeName) {
    const action = fromBinary(TransportSocketNameActionSchema, value);
    supportedAction.check(action, at);
    return action.name;
  }
  at.add(`matcher action '${name}' of type '${kind}' is not supported by sekisho`);
  return '';
}

function decodeString(message: StringMatcher, reasons: Reasons): TextTestData {
  supportedString.check(message, reasons);
  const { matchPattern: pattern, ignoreCase } = message;
  switch (pattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return { kind: pattern.case, value: pattern.value, ignoreCase };
    default:
      return { kind: 'exact', value: '', ignoreCase };
  }
}
