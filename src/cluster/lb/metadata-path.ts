/** What lies at a path of dynamic metadata: namespace, then keys. Undefined: nothing. */
export function metadataAt(
  metadata: ReadonlyMap<string, unknown> | null | undefined,
  [namespace, ...keys]: readonly string[],
): unknown {
  let value = metadata?.get(namespace);
  for (const key of keys)
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return value;
}
