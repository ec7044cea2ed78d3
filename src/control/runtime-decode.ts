import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { decodeConfigSource } from '../identity/decode/config-source-decode.ts';
import {
  LayeredRuntimeSchema,
  RuntimeLayer_DiskLayerSchema,
  RuntimeLayer_RtdsLayerSchema,
  RuntimeLayerSchema,
  type LayeredRuntime,
  type RuntimeLayer,
  type RuntimeLayer_RtdsLayer,
} from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { RuntimeSchema } from '../proto/envoy/service/runtime/v3/rtds_pb.js';
import type { NodeData } from './bootstrap-data.ts';
import { insistOnNode } from './resources/dynamic-resources-decode.ts';
import { noAds } from './resources/resource-decoding.ts';
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
const layerFields = new SupportedFields(RuntimeLayerSchema, [
  'name',
  'static_layer',
  'disk_layer',
  'admin_layer',
  'rtds_layer',
]);
const diskFields = new SupportedFields(RuntimeLayer_DiskLayerSchema, [
  'symlink_root',
  'subdirectory',
  'append_service_cluster',
]);

const rtdsFields = new SupportedFields(RuntimeLayer_RtdsLayerSchema, ['name', 'rtds_config']);

/** Deepest nesting of a static layer. Envoy's own limit is protobuf's recursion limit of 100. */
const depthMax = 100;

/**
 * The bootstrap's `layered_runtime`. Without it there are no layers at all; an empty list is one admin layer without a
 * name. Both as Envoy has it.
 * @param hasAds there is an ads_config
 */
export function decodeLayeredRuntime(
  runtime: LayeredRuntime | undefined,
  node: NodeData,
  hasAds: boolean,
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
    const data = decodeLayer(layer, node, hasAds, at);
    if (data === null) return;
    if (data.kind === 'admin' && layers.some(({ kind }) => kind === 'admin')) {
      at.add('Too many admin layers specified in LayeredRuntime, at most one may be specified');
    }
    layers.push(data);
  });
  return layers;
}

function decodeLayer(layer: RuntimeLayer, node: NodeData, hasAds: boolean, reasons: Reasons): RuntimeLayerData | null {
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
      const below = [disk.subdirectory, disk.appendServiceCluster ? node.cluster : ''];
      const subdirectory = below.filter((part) => part !== '').join('/');
      return { kind: 'disk', name, symlinkRoot: disk.symlinkRoot, subdirectory };
    }
    case 'rtdsLayer':
      return decodeRtds(name, layerSpecifier.value, node, hasAds, reasons.at('rtds_layer'));
    default:
      return null;
  }
}

function decodeRtds(
  name: string,
  layer: RuntimeLayer_RtdsLayer,
  node: NodeData,
  hasAds: boolean,
  reasons: Reasons,
): RuntimeLayerData | null {
  rtdsFields.check(layer, reasons);
  const at = reasons.at('rtds_config');
  insistOnNode(node, `type.googleapis.com/${RuntimeSchema.typeName}`, at);
  if (layer.rtdsConfig === undefined) {
    at.add('where the layer comes from must be said');
    return null;
  }
  const source = decodeConfigSource(layer.rtdsConfig, at, layer.name);
  if (source?.from.kind === 'ads' && !hasAds) at.add(noAds);
  return source === null ? null : { kind: 'rtds', name, resource: layer.name, source };
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
