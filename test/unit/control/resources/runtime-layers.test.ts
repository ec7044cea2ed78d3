import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { RuntimeLayers } from '../../../../src/control/resources/runtime-layers.ts';
import type { RtdsLayerData } from '../../../../src/control/runtime-data.ts';
import { runtimeKind } from '../../../../src/control/xds/resource-kinds.ts';
import { RuntimeSchema } from '../../../../src/proto/envoy/service/runtime/v3/rtds_pb.js';
import { create, toBinary } from '../../../../src/proto/protobuf.js';
import { AdsWorld } from '../xds/ads-world.ts';

const { typeUrl } = runtimeKind;
const packed = (name: string, layer: JsonObject): Uint8Array =>
  toBinary(RuntimeSchema, create(RuntimeSchema, { name, layer }));
const rtds = (name: string, resource = name): RtdsLayerData => ({
  kind: 'rtds',
  name,
  resource,
  source: { initialFetchTimeoutMs: 0, from: { kind: 'ads' } },
});

async function open(protocol: 'GRPC' | 'DELTA_GRPC') {
  const world = await AdsWorld.start(protocol);
  const heard: string[] = [];
  const { xds, subscriptions, plane } = world;
  const layers = new RuntimeLayers({
    loop: xds.loop,
    subscriptions,
    stats: xds.stats,
    setText: xds.setText,
    onEntries: (layer, entries) =>
      heard.push(`${layer}: ${Array.from(entries, ([key, { text }]) => `${key}=${text}`).join(' ')}`),
  });
  subscriptions.startAds();
  return { world, plane, layers, heard, shown: () => xds.shown('runtime') };
}

describe.each(['GRPC', 'DELTA_GRPC'] as const)('over %s', (protocol) => {
  test('a layer is filled, changed, and kept where what comes is refused', async () => {
    const { plane, layers, heard, shown } = await open(protocol);
    plane.change(typeUrl, { one: packed('one', { a: { b: 5 } }) });
    layers.replace([{ kind: 'admin', name: 'admin' }, rtds('layer', 'one')]);
    await layers.whenReady();
    expect(heard).toEqual(['layer: a.b=5']);
    await plane.verdict(typeUrl);
    plane.change(typeUrl, { one: packed('one', { a: 'x', c: true }) });
    expect(await plane.verdict(typeUrl, 2)).toMatchObject({ refusal: '' });
    plane.change(typeUrl, { one: packed('one', { wrong: [1] }) });
    const { refusal } = await plane.verdict(typeUrl, 3);
    expect(refusal).toMatch('Invalid runtime entry value for wrong');
    expect(heard).toEqual(['layer: a.b=5', 'layer: a=x c=true']);
    expect(shown()).toMatchObject({ update_success: 2, update_rejected: 1, version_text: '2' });
  });

  test('layers that stay go on, others begin or end', async () => {
    const { plane, layers, heard, world } = await open(protocol);
    plane.change(typeUrl, { one: packed('one', { a: 1 }), two: packed('two', { b: 2 }) });
    layers.replace([rtds('one')]);
    await layers.whenReady();
    layers.replace([rtds('one'), rtds('two')]);
    await layers.whenReady();
    // State of the world: whatever has changed, all of it comes.
    expect([...new Set(heard)]).toEqual(['one: a=1', 'two: b=2']);
    const before = heard.length;
    layers.replace([rtds('two')]);
    await layers.whenReady();
    const last = protocol === 'GRPC' ? /\[two\]$/ : /-one$/;
    await world.plane.server.until(() => last.test(world.asked.at(-1) ?? ''));
    expect(heard).toHaveLength(before);
  });
});

test('a layer that is taken back is empty', async () => {
  const { plane, layers, heard } = await open('DELTA_GRPC');
  plane.change(typeUrl, { one: packed('one', { a: 1 }) });
  layers.replace([rtds('one')]);
  await layers.whenReady();
  plane.change(typeUrl, {}, ['one']);
  await plane.verdict(typeUrl, 2);
  expect(heard).toEqual(['one: a=1', 'one: ']);
});

test('nobody waits where there is no such layer', async () => {
  const { layers } = await open('GRPC');
  layers.replace([{ kind: 'static', name: 's', entries: new Map() }]);
  await layers.whenReady();
});
