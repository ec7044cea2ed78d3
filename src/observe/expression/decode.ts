import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { CelExpressionConfigSchema, type CelExpressionConfig } from '../../proto/envoy/config/core/v3/cel_pb.js';
import { checkedExpression, ExpressionError, type ExpressionSource } from './expression-check.ts';
import { defaultExpressionOptions, type ExpressionData, type ExpressionOptions } from './expression-data.ts';

const configFields = new SupportedFields(CelExpressionConfigSchema, [
  'enable_string_conversion',
  'enable_string_concat',
  'enable_string_functions',
]);

/** `cel_config`. `reasons` stand at it. */
export function decodeExpressionOptions(message: CelExpressionConfig | undefined, reasons: Reasons): ExpressionOptions {
  if (message === undefined) return defaultExpressionOptions;
  configFields.check(message, reasons);
  return {
    stringConversion: message.enableStringConversion,
    stringConcat: message.enableStringConcat,
    stringFunctions: message.enableStringFunctions,
  };
}

/** A parsed or checked expression, of either package of messages. Null: refused. */
export function decodeExpression(
  source: ExpressionSource | undefined,
  options: ExpressionOptions,
  reasons: Reasons,
): ExpressionData | null {
  return checking(() => checkedExpression(source, options), reasons);
}

/** What `check` gives; null: it refused, and the reason was added. */
export function checking(check: () => ExpressionData, reasons: Reasons): ExpressionData | null {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    reasons.add(error.message);
    return null;
  }
}
