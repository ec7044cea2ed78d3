import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { decodeHeaderAppend } from '../../../filter/header-mutation/decode-mutations.ts';
import { decodeAccessLogFilter } from '../../../observe/access-log/filter-decode.ts';
import { decodeFormat, readText } from '../../../observe/format/decode.ts';
import {
  LocalReplyConfigSchema,
  ResponseMapperSchema,
  type LocalReplyConfig,
  type ResponseMapper,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { decodeHeaderMatcher } from '../../../route/match/decode.ts';
import { wireText } from '../../../route/wire-text.ts';
import type { LocalReplyConfigData, LocalReplyMapperData } from '../hcm-data.ts';

const configFields = new SupportedFields(LocalReplyConfigSchema, ['mappers', 'body_format']);
const mapperFields = new SupportedFields(ResponseMapperSchema, [
  'filter',
  'status_code',
  'body',
  'body_format_override',
  'headers_to_add',
]);

export function decodeLocalReply(message: LocalReplyConfig | undefined, reasons: Reasons): LocalReplyConfigData {
  if (message === undefined) return { mappers: [], bodyFormat: null };
  configFields.check(message, reasons);
  return {
    mappers: message.mappers.flatMap((mapper, i) => decodeMapper(mapper, reasons.at('mappers', i)) ?? []),
    bodyFormat: message.bodyFormat === undefined ? null : decodeFormat(message.bodyFormat, reasons.at('body_format')),
  };
}

function decodeMapper(message: ResponseMapper, reasons: Reasons): LocalReplyMapperData | null {
  mapperFields.check(message, reasons);
  if (message.filter === undefined) {
    reasons.at('filter').add('is required');
    return null;
  }
  const filter = decodeAccessLogFilter(message.filter, reasons.at('filter'), decodeHeaderMatcher);
  const format = message.bodyFormatOverride;
  const body = message.body === undefined ? null : readText(message.body, reasons.at('body'));
  const headers = message.headersToAdd.map((header, i) => decodeHeaderAppend(header, reasons.at('headers_to_add', i)));
  if (filter === null) return null;
  return {
    filter,
    status: message.statusCode ?? 0,
    body: body === null ? null : wireText(body),
    bodyFormat: format === undefined ? null : decodeFormat(format, reasons.at('body_format_override')),
    headers,
  };
}
