import { readFileSync } from 'node:fs';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeFormat } from '../../observe/format/decode.ts';
import { DataSourceSchema, type DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  DirectResponseActionSchema,
  type DirectResponseAction,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import type { DirectResponseData } from '../route-data.ts';
import { wireBytes, wireText } from '../wire-text.ts';
import type { RouteDecoding } from './field-decode.ts';

const directFields = new SupportedFields(DirectResponseActionSchema, ['status', 'body', 'body_format']);
const sourceFields = new SupportedFields(DataSourceSchema, [
  'filename',
  'inline_bytes',
  'inline_string',
  'environment_variable',
]);

export function decodeDirectResponse(
  message: DirectResponseAction,
  reasons: Reasons,
  decoding: RouteDecoding,
): DirectResponseData {
  directFields.check(message, reasons);
  const body = message.body === undefined ? '' : readDataSource(message.body, reasons.at('body'));
  if (body.length > decoding.directBodyMax) {
    reasons.at('body').add(`response body size is ${body.length} bytes; maximum is ${decoding.directBodyMax}`);
  }
  return {
    kind: 'direct',
    status: message.status,
    body,
    bodyFormat: message.bodyFormat === undefined ? null : decodeFormat(message.bodyFormat, reasons.at('body_format')),
  };
}

/** As wire text, a character per byte. Files are read once, when the configuration is. */
export function readDataSource(source: DataSource, reasons: Reasons): string {
  sourceFields.check(source, reasons);
  const { specifier } = source;
  switch (specifier.case) {
    case 'inlineString':
      return wireText(specifier.value);
    case 'inlineBytes':
      return wireBytes(specifier.value);
    case 'filename':
      try {
        return wireBytes(readFileSync(specifier.value));
      } catch {
        reasons.at('filename').add(`file ${specifier.value} does not exist`);
        return '';
      }
    case 'environmentVariable': {
      const value = process.env[specifier.value];
      if (value === undefined) {
        reasons.at('environment_variable').add(`Environment variable doesn't exist: ${specifier.value}`);
      }
      return wireText(value ?? '');
    }
    default:
      return '';
  }
}
