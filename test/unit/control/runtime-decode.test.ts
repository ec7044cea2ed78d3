import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { decodeLayeredRuntime } from '../../../src/control/runtime-decode.ts';
import type { NodeData } from '../../../src/control/bootstrap-data.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { LayeredRuntimeSchema } from '../../../src/proto/envoy/config/bootstrap/v3/bootstrap_pb.js';

const nowhere = { region: '', zone: '', subZone: '' };
const nodeOf = (cluster: string): NodeData => ({ id: 'me', cluster, locality: nowhere, metadata: {} });

function decode(json: JsonValue, cluster = 'here', hasAds = false) {
  const reasons = new Reasons('layered_runtime');
  const layers = decodeLayeredRuntime(fromJson(LayeredRuntimeSchema, json), nodeOf(cluster), hasAds, reasons);
  return { layers, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

function entries(layer: JsonValue) {
  const [first] = decode({ layers: [{ name: 's', static_layer: layer }] }).layers;
  return first?.kind === 'static' ? Object.fromEntries(first.entries) : {};
}

test('no layered_runtime: no layers; an empty one: an admin layer', () => {
  expect(decodeLayeredRuntime(undefined, nodeOf(''), false, new Reasons())).toEqual([]);
  expect(decode({}).layers).toEqual([{ kind: 'admin', name: '' }]);
});

test('a static layer is flattened and read into every type', () => {
  expect(entries({ a: { b: 5 }, 'c.d': true, e: 'True', f: '0.5', g: 'x', h: '' })).toEqual({
    'a.b': { text: '5', number: 5, boolean: null, fraction: null },
    'c.d': { text: 'true', number: null, boolean: true, fraction: null },
    e: { text: 'True', number: null, boolean: true, fraction: null },
    f: { text: '0.5', number: 0.5, boolean: null, fraction: null },
    g: { text: 'x', number: null, boolean: null, fraction: null },
    h: { text: '', number: null, boolean: null, fraction: null },
  });
});

test('a struct with numerator or denominator is a fraction', () => {
  const found = entries({ a: { numerator: 5, denominator: 'TEN_THOUSAND' }, b: { numerator: 3 } });
  expect(found['a']?.fraction).toEqual({ numerator: 5, denominator: 10_000 });
  expect(found['b']?.fraction).toEqual({ numerator: 3, denominator: 100 });
});

test('layers of control planes know where they come from', () => {
  const layer = { name: 'l', rtds_layer: { name: 'r', rtds_config: { ads: {}, initial_fetch_timeout: '1s' } } };
  const source = { initialFetchTimeoutMs: 1000, from: { kind: 'ads' } };
  expect(decode({ layers: [layer] }, 'here', true)).toEqual({
    layers: [{ kind: 'rtds', name: 'l', resource: 'r', source }],
    reasons: [],
  });
  const at = 'layered_runtime.layers[0].rtds_layer.rtds_config';
  expect(decode({ layers: [layer] }).reasons).toEqual([expect.stringContaining(at)]);
  expect(decode({ layers: [layer] }, '', true).reasons).toEqual([
    expect.stringContaining(`${at}: type.googleapis.com/envoy.service.runtime.v3.Runtime: node 'id' and 'cluster'`),
  ]);
  expect(decode({ layers: [{ name: 'l', rtds_layer: {} }] }).reasons).toEqual([
    `${at}: where the layer comes from must be said`,
  ]);
});

test('disk layers know their folder', () => {
  const json = {
    layers: [{ name: 'd', disk_layer: { symlink_root: '/r', subdirectory: 's', append_service_cluster: true } }],
  };
  expect(decode(json).layers).toEqual([{ kind: 'disk', name: 'd', symlinkRoot: '/r', subdirectory: 's/here' }]);
});

test('what is refused, with all reasons', () => {
  const json = {
    layers: [
      { name: 'a', static_layer: { x: [1], y: null, z: { numerator: -1 } } },
      { name: 'a', admin_layer: {} },
      { name: 'b', admin_layer: {} },
      { name: 'c', rtds_layer: { name: 'r' } },
    ],
  };
  expect(decode(json).reasons).toEqual([
    'layered_runtime.layers[0].static_layer: Invalid runtime entry value for x',
    'layered_runtime.layers[0].static_layer: Invalid runtime entry value for y',
    'layered_runtime.layers[0].static_layer: Invalid runtime entry value for z',
    'layered_runtime.layers[1]: Duplicate layer name: a',
    'layered_runtime.layers[2]: Too many admin layers specified in LayeredRuntime, at most one may be specified',
    'layered_runtime.layers[3].rtds_layer.rtds_config: where the layer comes from must be said',
  ]);
});

test.each([
  [1_234_567, '1.23457e+06'],
  [1e12, '1e+12'],
  [100_000, '100000'],
  [999_999.7, '1e+06'],
  [123_456.7, '123457'],
  [0.123_456_7, '0.123457'],
  [0.0001, '0.0001'],
  [0.000_01, '1e-05'],
  [-1.5, '-1.5'],
  [0, '0'],
])('a number shows as Envoy writes it: %d', (value, text) => {
  expect(entries({ a: value })['a']).toMatchObject({ text, number: value });
});

test.each(['0x10', '1_000', 'Infinity', '1e', '.', ''])('%j is a text and no number', (text) => {
  expect(entries({ a: text })['a']).toMatchObject({ text, number: null });
});
