import type { ConfigValue } from '../config/config-value.ts';
import { expressionKind } from '../observe/expression/expressions.ts';

/**
 * The message types that a configuration text names, wherever they stand: `@type`, and the `type_url` of TypedStruct; and
 * `expressionKind` where there is CEL.
 */
export function extensionKinds(value: ConfigValue, kinds = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    for (const element of value) extensionKinds(element, kinds);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (hasExpression(key, inner)) kinds.add(expressionKind);
      if (typeof inner !== 'string') extensionKinds(inner, kinds);
      else if (key === '@type' || key === 'type_url' || key === 'typeUrl')
        kinds.add(inner.slice(inner.lastIndexOf('/') + 1));
    }
  }
  return kinds;
}

/** Messages that are expressions, and fields of others that are. Of what has such a name by chance nothing comes but time. */
const expressions = /(?:\.ExpressionFilter|\.HttpAttributesCelMatchInput|\.CelMatcher|\.rate_limit_descriptors\.expr\.v3\.Descriptor)$|%(?:TYPED_)?CEL\(/;
const expressionFields = /^(?:condition|checked_?condition)$/i;

function hasExpression(key: string, value: ConfigValue): boolean {
  return typeof value === 'string' ? expressions.test(value) : expressionFields.test(key);
}
