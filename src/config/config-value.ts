/** A configuration as its text says it, before any schema: what JSON can hold, aliases resolved to shared objects. */
export type ConfigValue = null | boolean | number | string | ConfigValue[] | ConfigObject;

export interface ConfigObject {
  [key: string]: ConfigValue;
}

export function isConfigObject(value: ConfigValue | undefined): value is ConfigObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects and lists inside each other; Envoy's JSON reader (protobuf's) stops at the same depth. */
export const depthMax = 100;

/** Bytes of one file. Envoy has no limit; its largest known configurations are tens of MiB. */
export const fileBytesMax = 256 * 1024 * 1024;

/** Values read from one file, each alias counted as often as it is used: bounds alias bombs ("billion laughs"). */
export const valuesMax = 10_000_000;

/** For messages: how the text would write a value, cut when long. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return String(value);
  return 'an object';
}
