import type { ConfigValue } from '../config/config-value.ts';
import { expressionKind } from '../observe/expression/expressions.ts';

/**
 * The message types that a configuration text names, wherever they stand: `@type`, and the `type_url` of TypedStruct; and
 * `expressionKind` where there is CEL.
 */
export function extensionKinds(value: ConfigValue, kinds = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    for (const element of value) {
      if (hasExpression('', element)) kinds.add(expressionKind);
      extensionKinds(element, kinds);
    }
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (hasExpression(key, inner)) kinds.add(expressionKind);
      if (typeof inner !== 'string') extensionKinds(inner, kinds);
      else if (isTypeName(key)) kinds.add(inner.slice(inner.lastIndexOf('/') + 1));
    }
  }
  return kinds;
}

/** Messages that are expressions, and fields of others that are. Of what has such a name by chance nothing comes but time. */
export const expressions =
  /\.(?:ExpressionFilter|CelMatcher|HttpAttributesCelMatchInput|rate_limit_descriptors\.expr\.v3\.Descriptor)$/;
/** In a format, and in one that COALESCE names. */
const commands = /%(?:TYPED_)?CEL\(|"(?:TYPED_)?CEL"/;
const expressionFields: ReadonlySet<string> = new Set([
  'condition',
  'checked_condition',
  'checkedCondition',
  // Of Istio's metrics.
  'dimensions',
  'definitions',
]);

function isTypeName(key: string): boolean {
  return key === '@type' || key === 'type_url' || key === 'typeUrl';
}

function hasExpression(key: string, value: ConfigValue): boolean {
  if (typeof value !== 'string') return expressionFields.has(key);
  return isTypeName(key) ? expressions.test(value) : value.includes('CEL') && commands.test(value);
}
