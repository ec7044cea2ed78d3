import type { DescMessage, JsonObject, JsonValue, Registry } from '@bufbuild/protobuf';
import { packedType } from './packed-type.ts';

/** `google.protobuf.FieldMask` as it is written in a query: paths in proto names, by commas. */
export function parseFieldMask(text: string): readonly string[] {
  return text.split(',').filter((path) => path !== '');
}

/**
 * Whether each path leads to a field. Only the last step may be repeated, as in protobuf's FieldMaskUtil; nothing leads
 * into an `Any`.
 */
export function isMaskOf(mask: readonly string[], type: DescMessage): boolean {
  return mask.every((path) => isPathOf(path.split('.'), type));
}

function isPathOf([step, ...rest]: readonly string[], type: DescMessage): boolean {
  const field = type.fields.find(({ name }) => name === step);
  if (field === undefined) return false;
  if (rest.length === 0) return true;
  return field.fieldKind === 'message' && isPathOf(rest, field.message);
}

/** Keeps only what the paths lead to. `@type` stays. */
export function applyMask(json: JsonObject, mask: readonly string[]): JsonObject {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(json)) {
    const below = stepsBelow(mask, name);
    if (name === '@type' || below === 'all') kept[name] = value;
    else if (below.length > 0 && isObject(value)) kept[name] = applyMask(value, below);
  }
  return kept;
}

/**
 * As `isMaskOf` and `applyMask`, for one resource of a dump (`StaticCluster`): a path may lead through the `Any` that
 * holds the resource. Undefined: some path leads nowhere.
 */
export function maskResource(
  json: JsonObject,
  mask: readonly string[],
  type: DescMessage,
  registry: Registry,
): JsonObject | undefined {
  const kept: JsonObject = {};
  const names = new Set(mask.map((path) => path.split('.', 1)[0]));
  for (const field of type.fields) {
    const { name } = field;
    if (!names.delete(name)) continue;
    const below = stepsBelow(mask, name);
    if (below === 'all') {
      if (json[name] !== undefined) kept[name] = json[name];
      continue;
    }
    if (field.fieldKind !== 'message') return undefined;
    const value = json[name];
    const packed = isObject(value) ? packedType(value, field.message, registry) : undefined;
    if (!isMaskOf(below, packed?.type ?? field.message)) return undefined;
    if (isObject(value)) kept[name] = applyMask(value, below);
  }
  return names.size > 0 ? undefined : kept;
}

/** What of the mask holds below `name`: all of it, or the paths without their first step. */
function stepsBelow(mask: readonly string[], name: string): readonly string[] | 'all' {
  if (mask.includes(name)) return 'all';
  return mask.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
