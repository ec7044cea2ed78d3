/** A compiled rule: what must hold (`must be at least 1`), or null when it does. */
export type Rule = (value: unknown) => string | null;

/** A rule's field was written in the proto; protobuf-es keeps unset proto2 fields on the prototype. */
export function isSet(rules: object, field: string): boolean {
  return Object.hasOwn(rules, field);
}

/** `a, b or c`. */
export function anyOf(values: readonly string[]): string {
  if (values.length < 2) return values.join('');
  return `${values.slice(0, -1).join(', ')} or ${values[values.length - 1]}`;
}
