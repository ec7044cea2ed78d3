import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import {
  LayeredRuntimeSchema,
  RuntimeLayer_DiskLayerSchema,
  RuntimeLayerSchema,
  type LayeredRuntime,
  type RuntimeLayer,
} from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import {
  runtimeBoolean,
  runtimeFraction,
  runtimeNumber,
  runtimeText,
  type RuntimeEntries,
  type RuntimeLayerData,
  type RuntimeValue,
} from './runtime-data.ts';

const runtimeFields = new SupportedFields(LayeredRuntimeSchema, ['layers']);
const layerFields = new SupportedFields(RuntimeLayerSchema, ['name', 'static_layer', 'disk_layer', 'admin_layer']);
const diskFields = new SupportedFields(RuntimeLayer_DiskLayerSchema, [
  'symlink_root',
  'subdirectory',
  'append_service_cluster',
]);

/** Deepest nesting of a static layer. Envoy's own limit is protobuf's recursion limit of 100. */
const depthMax = 100;

/**
 * The bootstrap's `layered_runtime`. Without it there are no layers at all; an empty list is one admin layer without a
 * name. Both as Envoy has it.
 * @param serviceCluster for `append_service_cluster`
 */
export function decodeLayeredRuntime(
  runtime: LayeredRuntime | undefined,
  serviceCluster: string,
  reasons: Reasons,
): readonly RuntimeLayerData[] {
  if (runtime === undefined) return [];
  runtimeFields.check(runtime, reasons);
  if (runtime.layers.length === 0) return [{ kind: 'admin', name: '' }];
  const layers: RuntimeLayerData[] = [];
  const names = new Set<string>();
  runtime.layers.forEach((layer, index) => {
    const at = reasons.at('layers', index);
    if (names.has(layer.name)) at.add(`Duplicate layer name: ${layer.name}`);
    names.add(layer.name);
    const data = decodeLayer(layer, serviceCluster, at);
    if (data === null) return;
    if (data.kind === 'admin' && layers.some(({ kind }) => kind === 'admin')) {
      at.add('Too many admin layers specified in LayeredRuntime, at most one may be specified');
    }
    layers.push(data);
  });
  return layers;
}

function decodeLayer(layer: RuntimeLayer, serviceCluster: string, reasons: Reasons): RuntimeLayerData | null {
  layerFields.check(layer, reasons);
  const { name, layerSpecifier } = layer;
  switch (layerSpecifier.case) {
    case 'staticLayer':
      return { kind: 'static', name, entries: decodeEntries(layerSpecifier.value, reasons.at('static_layer')) };
    case 'adminLayer':
      return { kind: 'admin', name };
    case 'diskLayer': {
      const disk = layerSpecifier.value;
      diskFields.check(disk, reasons.at('disk_layer'));
      const below = [disk.subdirectory, disk.appendServiceCluster ? serviceCluster : ''];
      const subdirectory = below.filter((part) => part !== '').join('/');
      return { kind: 'disk', name, symlinkRoot: disk.symlinkRoot, subdirectory };
    }
    default:
      return null;
  }
}

/** Flattens a struct: `{a: {b: 1}}` is the key `a.b`. */
export function decodeEntries(fields: JsonObject, reasons: Reasons): RuntimeEntries {
  const entries = new Map<string, RuntimeValue>();
  for (const [key, value] of Object.entries(fields)) flatten(key, value, entries, reasons, 1);
  return entries;
}

function flatten(
  key: string,
  value: JsonValue,
  entries: Map<string, RuntimeValue>,
  reasons: Reasons,
  depth: number,
): void {
  if (typeof value === 'number') entries.set(key, runtimeNumber(value));
  else if (typeof value === 'boolean') entries.set(key, runtimeBoolean(value));
  else if (typeof value === 'string') entries.set(key, runtimeText(value));
  else if (value === null || Array.isArray(value) || depth > depthMax) {
    reasons.add(`Invalid runtime entry value for ${key}`);
  } else if ('numerator' in value || 'denominator' in value) {
    const fraction = runtimeFraction(value['numerator'], value['denominator'], JSON.stringify(value));
    if (fraction === undefined) reasons.add(`Invalid runtime entry value for ${key}`);
    else entries.set(key, fraction);
  } else {
    for (const [name, inner] of Object.entries(value)) flatten(`${key}.${name}`, inner, entries, reasons, depth + 1);
  }
}
