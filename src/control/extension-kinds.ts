import type { ConfigValue } from '../config/config-value.ts';

/** The message types that a configuration text names, wherever they stand: `@type`, and the `type_url` of TypedStruct. */
export function extensionKinds(value: ConfigValue, kinds = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    for (const element of value) extensionKinds(element, kinds);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner !== 'string') extensionKinds(inner, kinds);
      else if (key === '@type' || key === 'type_url' || key === 'typeUrl')
        kinds.add(inner.slice(inner.lastIndexOf('/') + 1));
    }
  }
  return kinds;
}
