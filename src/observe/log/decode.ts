import type { JsonValue } from '@bufbuild/protobuf';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Bootstrap_ApplicationLogConfigSchema,
  Bootstrap_ApplicationLogConfig_LogFormatSchema,
  type Bootstrap_ApplicationLogConfig,
} from '../../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';

const configFields = new SupportedFields(Bootstrap_ApplicationLogConfigSchema, ['log_format']);
const formatFields = new SupportedFields(Bootstrap_ApplicationLogConfig_LogFormatSchema, [
  'json_format',
  'text_format',
]);

/**
 * The bootstrap's `application_log_config` as a pattern for `LogFormat`; null: it says nothing.
 * @param isOnCommandLine `--log-format` was given, which Envoy takes for a conflict
 */
export function decodeLogPattern(
  config: Bootstrap_ApplicationLogConfig | undefined,
  isOnCommandLine: boolean,
  reasons: Reasons,
): string | null {
  if (config === undefined) return null;
  configFields.check(config, reasons);
  const format = config.logFormat;
  if (format === undefined) return null;
  const at = reasons.at('log_format');
  formatFields.check(format, at);
  if (isOnCommandLine) {
    at.add('Only one of ApplicationLogConfig.log_format or CLI option --log-format can be specified');
    return null;
  }
  if (format.logFormat.case === 'textFormat') return format.logFormat.value;
  if (format.logFormat.case !== 'jsonFormat') return null;
  return decodeJsonPattern(format.logFormat.value, at.at('json_format'));
}

/** The message inside JSON must be escaped: `%j`. */
function decodeJsonPattern(fields: JsonValue, reasons: Reasons): string {
  const pattern = JSON.stringify(fields);
  for (const flag of ['%v', '%_']) {
    if (pattern.includes(flag)) reasons.add(`Usage of ${flag} is unavailable for JSON log formats; use %j`);
  }
  return pattern;
}
