import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { ExtensionFilterSchema, type ExtensionFilter } from '../../proto/envoy/config/accesslog/v3/accesslog_pb.js';
import { ExpressionFilterSchema } from '../../proto/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { AccessLogFilterData } from '../access-log/access-log-data.ts';
import { checking, decodeExpressionOptions } from './decode.ts';
import { expressionEngine } from './expressions.ts';

const extensionFields = new SupportedFields(ExtensionFilterSchema, ['name', 'typed_config']);
const filterFields = new SupportedFields(ExpressionFilterSchema, ['expression', 'cel_config']);

/** `extension_filter`: `envoy.access_loggers.extension_filters.cel` is the one that there is. Null: refused. */
export function decodeExtensionFilter(message: ExtensionFilter, reasons: Reasons): AccessLogFilterData | null {
  extensionFields.check(message, reasons);
  const config = message.configType.case === 'typedConfig' ? message.configType.value : undefined;
  const at = reasons.at('typed_config');
  const kind = config?.typeUrl.slice(config.typeUrl.lastIndexOf('/') + 1) ?? '';
  if (config === undefined || kind !== ExpressionFilterSchema.typeName) {
    at.add(`access log filter '${message.name}' of type '${kind}' is not supported by sekisho`);
    return null;
  }
  const filter = fromBinary(ExpressionFilterSchema, config.value);
  filterFields.check(filter, at);
  const options = decodeExpressionOptions(filter.celConfig, at.at('cel_config'));
  const parse = () => expressionEngine().parse(filter.expression, options);
  const expression = checking(parse, at.at('expression'));
  return expression === null ? null : { kind: 'expression', expression };
}
