import { readFileSync } from 'node:fs';

import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { DataSourceSchema, type DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  JsonFormatOptionsSchema,
  SubstitutionFormatStringSchema,
  type SubstitutionFormatString,
} from '../../proto/envoy/config/core/v3/substitution_format_string_pb.js';
import type { FormatData } from '../access-log/access-log-data.ts';
import { formatProblem, jsonFormatProblem, type FormatExtension, type JsonTemplate } from './format.ts';

// `sort_properties` changes nothing: Envoy 1.39 always sorts.
const formatFields = new SupportedFields(SubstitutionFormatStringSchema, [
  'text_format',
  'json_format',
  'text_format_source',
  'omit_empty_values',
  'content_type',
  'formatters',
  'json_format_options',
]);
const jsonOptionFields = new SupportedFields(JsonFormatOptionsSchema, [], ['sort_properties']);
const sourceFields = new SupportedFields(DataSourceSchema, [
  'filename',
  'inline_bytes',
  'inline_string',
  'environment_variable',
]);

/** Formatter extensions by message name. METADATA and CEL have become built-in operators. */
const EXTENSIONS = new Map<string, FormatExtension | null>([
  ['envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery', 'req_without_query'],
  ['envoy.extensions.formatter.metadata.v3.Metadata', null],
  ['envoy.extensions.formatter.cel.v3.Cel', null],
]);

/** A `SubstitutionFormatString`: of an access log or of a local reply's body. Null: refused. */
export function decodeFormat(message: SubstitutionFormatString, reasons: Reasons): FormatData | null {
  formatFields.check(message, reasons);
  if (message.jsonFormatOptions !== undefined)
    jsonOptionFields.check(message.jsonFormatOptions, reasons.at('json_format_options'));
  const extensions = decodeFormatters(message.formatters, reasons);
  const options = { omitEmptyValues: message.omitEmptyValues, extensions, contentType: message.contentType };
  switch (message.format.case) {
    case 'jsonFormat':
      return checked(
        { ...options, kind: 'json', template: message.format.value as JsonTemplate },
        reasons.at('json_format'),
      );
    case 'textFormat':
      return checked({ ...options, kind: 'text', text: message.format.value }, reasons.at('text_format'));
    case 'textFormatSource': {
      const at = reasons.at('text_format_source');
      const text = readText(message.format.value, at);
      return text === null ? null : checked({ ...options, kind: 'text', text }, at);
    }
    case undefined:
      reasons.add('needs one of text_format, text_format_source and json_format');
      return null;
  }
}

/** The deprecated `format` and `json_format` of a file logger. */
export function decodeBareFormat(format: string | JsonTemplate, reasons: Reasons): FormatData | null {
  const options = { omitEmptyValues: false, extensions: [], contentType: '' };
  return typeof format === 'string'
    ? checked({ ...options, kind: 'text', text: format }, reasons)
    : checked({ ...options, kind: 'json', template: format }, reasons);
}

function checked(data: FormatData, reasons: Reasons): FormatData | null {
  const problem = data.kind === 'text' ? formatProblem(data.text, data) : jsonFormatProblem(data.template, data);
  if (problem === null) return data;
  reasons.add(problem);
  return null;
}

/** `formatters`: what commands a format has besides. `reasons` stands at the message that has them. */
export function decodeFormatters(formatters: readonly TypedExtensionConfig[], reasons: Reasons): FormatExtension[] {
  return formatters.flatMap((formatter, i) => {
    const typeUrl = formatter.typedConfig?.typeUrl ?? '';
    const extension = EXTENSIONS.get(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
    if (extension === undefined)
      reasons.at('formatters', i).add(`formatter '${formatter.name}' of type '${typeUrl}' is not supported by sekisho`);
    return extension === undefined || extension === null ? [] : [extension];
  });
}

/** The text of a data source. Files and environment are read when the configuration is. */
export function readText(source: DataSource, reasons: Reasons): string | null {
  sourceFields.check(source, reasons);
  const { specifier } = source;
  switch (specifier.case) {
    case 'inlineString':
      return specifier.value;
    case 'inlineBytes':
      return new TextDecoder().decode(specifier.value);
    case 'filename':
      try {
        return readFileSync(specifier.value, 'utf8');
      } catch {
        reasons.at('filename').add(`Invalid path: ${specifier.value}`);
        return null;
      }
    case 'environmentVariable': {
      const value = process.env[specifier.value];
      if (value === undefined)
        reasons.at('environment_variable').add(`Environment variable doesn't exist: ${specifier.value}`);
      return value ?? null;
    }
    case undefined:
      reasons.add('needs one of filename, inline_bytes, inline_string and environment_variable');
      return null;
  }
}
