import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { MetadataKey, MetadataKind } from '../../proto/envoy/type/metadata/v3/metadata_pb.js';
import {
  CustomTag_EnvironmentSchema,
  CustomTag_HeaderSchema,
  CustomTag_LiteralSchema,
  CustomTag_MetadataSchema,
  CustomTagSchema,
  type CustomTag,
  type CustomTag_Metadata,
} from '../../proto/envoy/type/tracing/v3/custom_tag_pb.js';
import { formatProblem } from '../format/format.ts';
import type { CustomTagData } from './trace-data.ts';

const tagFields = new SupportedFields(CustomTagSchema, [
  'tag',
  'literal',
  'environment',
  'request_header',
  'metadata',
  'value',
]);
const literalFields = new SupportedFields(CustomTag_LiteralSchema, ['value']);
const environmentFields = new SupportedFields(CustomTag_EnvironmentSchema, ['name', 'default_value']);
const headerFields = new SupportedFields(CustomTag_HeaderSchema, ['name', 'default_value']);
const metadataFields = new SupportedFields(CustomTag_MetadataSchema, ['kind', 'metadata_key', 'default_value']);

/** Of a connection manager, a route or an access log. `reasons` stands at the list. Of two of one name the last counts. */
export function decodeCustomTags(messages: readonly CustomTag[], reasons: Reasons): CustomTagData[] {
  const found = new Map<string, CustomTagData>();
  for (const [i, message] of messages.entries()) {
    const data = decodeCustomTag(message, reasons.item(i));
    if (data !== null) found.set(data.tag, data);
  }
  return [...found.values()];
}

function decodeCustomTag(message: CustomTag, reasons: Reasons): CustomTagData | null {
  tagFields.check(message, reasons);
  const { tag, type } = message;
  switch (type.case) {
    case 'literal':
      literalFields.check(type.value, reasons.at('literal'));
      return { tag, kind: 'literal', value: type.value.value };
    case 'environment':
      environmentFields.check(type.value, reasons.at('environment'));
      return { tag, kind: 'environment', name: type.value.name, otherwise: type.value.defaultValue };
    case 'requestHeader':
      headerFields.check(type.value, reasons.at('request_header'));
      return {
        tag,
        kind: 'request-header',
        name: type.value.name.toLowerCase(),
        otherwise: type.value.defaultValue,
      };
    case 'metadata':
      return decodeMetadata(tag, type.value, reasons.at('metadata'));
    case 'value': {
      const problem = formatProblem(type.value);
      if (problem === null) return { tag, kind: 'format', format: type.value, extensions: [] };
      reasons.at('value').add(problem);
      return null;
    }
    case undefined:
      reasons.add('needs one of literal, environment, request_header, metadata and value');
      return null;
  }
}

const kinds: Readonly<Record<string, 'request' | 'route' | 'cluster' | 'host'>> = {
  request: 'request',
  route: 'route',
  cluster: 'cluster',
  host: 'host',
};

function decodeMetadata(tag: string, message: CustomTag_Metadata, reasons: Reasons): CustomTagData {
  metadataFields.check(message, reasons);
  const of = kindOf(message.kind);
  // As Envoy: of nothing there is nothing.
  if (of === undefined) return { tag, kind: 'literal', value: message.defaultValue };
  return {
    tag,
    kind: 'metadata',
    of,
    namespace: message.metadataKey?.key ?? '',
    path: pathOf(message.metadataKey),
    otherwise: message.defaultValue,
  };
}

function kindOf(kind: MetadataKind | undefined): 'request' | 'route' | 'cluster' | 'host' | undefined {
  return kind?.kind.case === undefined ? undefined : kinds[kind.kind.case];
}

function pathOf(key: MetadataKey | undefined): string[] {
  return (key?.path ?? []).map(({ segment }) => segment.value ?? '');
}
