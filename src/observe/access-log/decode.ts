import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { AccessLogSchema, type AccessLog } from '../../proto/envoy/config/accesslog/v3/accesslog_pb.js';
import type { AccessLogData, FormatData, LogSinkData } from './access-log-data.ts';
import { decodeAccessLogFilter, type DecodeHeaderMatcher } from './filter-decode.ts';

const accessLogFields = new SupportedFields(AccessLogSchema, ['name', 'filter', 'typed_config']);

/** What a logger's own decoder makes (`access-loggers-decode.ts`). */
export interface LoggerData {
  readonly sink: LogSinkData;
  readonly format: FormatData;
}

/**
 * The access logs of one listener, connection manager, TCP proxy or of the admin. `reasons` stands at the list.
 * Without `decodeHeaderMatcher` a header_filter is refused.
 */
export function decodeAccessLogs(
  messages: readonly AccessLog[],
  reasons: Reasons,
  extensions: Extensions,
  decodeHeaderMatcher: DecodeHeaderMatcher | null = null,
): AccessLogData[] {
  return messages.flatMap((message, i) => {
    const at = reasons.item(i);
    return decodeAccessLog(message, at, extensions, decodeHeaderMatcher) ?? [];
  });
}

function decodeAccessLog(
  message: AccessLog,
  reasons: Reasons,
  extensions: Extensions,
  decodeHeaderMatcher: DecodeHeaderMatcher | null,
): AccessLogData | null {
  accessLogFields.check(message, reasons);
  const filter =
    message.filter === undefined
      ? null
      : decodeAccessLogFilter(message.filter, reasons.at('filter'), decodeHeaderMatcher);
  const config = message.configType.case === 'typedConfig' ? message.configType.value : undefined;
  const logger = extensions.open('envoy.access_loggers', message.name, config, reasons);
  if (logger === null) return null;
  return { name: message.name, filter, ...(logger.data as LoggerData) };
}
