import { createRegistry, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { beforeAll, expect, it } from 'vitest';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { decodeOverloadManager } from '../../../../src/control/overload/decode.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { extensionEntries } from '../../../../src/extensions.ts';
import {
  OverloadManagerSchema,
  ScaleTimersOverloadActionConfigSchema,
  ShrinkHeapConfigSchema,
} from '../../../../src/proto/envoy/config/overload/v3/overload_pb.js';
import { CgroupMemoryConfigSchema } from '../../../../src/proto/envoy/extensions/resource_monitors/cgroup_memory/v3/cgroup_memory_pb.js';
import { CpuUtilizationConfigSchema } from '../../../../src/proto/envoy/extensions/resource_monitors/cpu_utilization/v3/cpu_utilization_pb.js';
import { DownstreamConnectionsConfigSchema } from '../../../../src/proto/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections_pb.js';
import { FixedHeapConfigSchema } from '../../../../src/proto/envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap_pb.js';
import { InjectedResourceConfigSchema } from '../../../../src/proto/envoy/extensions/resource_monitors/injected_resource/v3/injected_resource_pb.js';

const registry = createRegistry(
  CgroupMemoryConfigSchema,
  CpuUtilizationConfigSchema,
  DownstreamConnectionsConfigSchema,
  FixedHeapConfigSchema,
  InjectedResourceConfigSchema,
  ScaleTimersOverloadActionConfigSchema,
  ShrinkHeapConfigSchema,
);
const extensions = new ExtensionTable(extensionEntries);
beforeAll(() => extensions.load(extensions.kinds.filter((kind) => kind.includes('resource_monitors'))));

const monitors = 'type.googleapis.com/envoy.extensions.resource_monitors';
const injected = (name = 'm', filename = '/p'): JsonObject => ({
  name,
  typedConfig: { '@type': `${monitors}.injected_resource.v3.InjectedResourceConfig`, filename },
});
const monitor = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  name,
  typedConfig: { '@type': `${monitors}.${type}`, ...config },
});
const at = (name = 'm', value = 0.9): JsonObject => ({ name, threshold: { value } });
const action = (name: string, more: JsonObject = {}): JsonObject => ({
  name: `envoy.overload_actions.${name}`,
  triggers: [at()],
  ...more,
});
const config = (type: string, fields: JsonObject = {}): JsonObject => ({
  typedConfig: { '@type': `type.googleapis.com/envoy.config.overload.v3.${type}`, ...fields },
});

function decode(json: JsonObject) {
  const reasons = new Reasons('o');
  const message = fromJson(OverloadManagerSchema, json, { registry });
  const data = decodeOverloadManager(message, reasons, extensions);
  return { data, reasons: reasons.list.map((reason) => `${reason.path}: ${reason.message}`) };
}

it('without an overload manager there is none', () => {
  expect(decodeOverloadManager(undefined, new Reasons(), extensions)).toBeNull();
});

it('an empty one does nothing, once a second', () => {
  expect(decode({}).data).toEqual({
    refreshMs: 1000,
    monitors: [],
    actions: [],
    shedPoints: [],
    timers: [],
    shrinkMs: 10_000,
    connectionsMax: 0,
  });
  expect(decode({ refreshInterval: '0.25s' }).data?.refreshMs).toBe(250);
  expect(decode({ refreshInterval: '0s' }).data?.refreshMs).toBe(1);
});

it('every monitor', () => {
  const { data, reasons } = decode({
    resourceMonitors: [
      injected(),
      monitor('heap', 'fixed_heap.v3.FixedHeapConfig', { maxHeapSizeBytes: '1000' }),
      monitor('heap 2', 'fixed_heap.v3.FixedHeapConfig', {
        maxHeapSizeBytesRuntime: { defaultValue: '7', runtimeKey: 'k' },
      }),
      monitor('cgroup', 'cgroup_memory.v3.CgroupMemoryConfig', { maxMemoryBytes: '5' }),
      monitor('cpu', 'cpu_utilization.v3.CpuUtilizationConfig'),
      monitor('cpu 2', 'cpu_utilization.v3.CpuUtilizationConfig', { mode: 'CONTAINER' }),
      monitor(
        'envoy.resource_monitors.global_downstream_max_connections',
        'downstream_connections.v3.DownstreamConnectionsConfig',
        { maxActiveDownstreamConnections: '9' },
      ),
    ],
  });
  expect(reasons).toEqual([]);
  expect(data).toMatchObject({
    connectionsMax: 9,
    monitors: [
      { name: 'm', resource: { kind: 'injected_resource', file: '/p' } },
      { name: 'heap', resource: { kind: 'fixed_heap', bytesMax: 1000, runtimeKey: '' } },
      { name: 'heap 2', resource: { kind: 'fixed_heap', bytesMax: 7, runtimeKey: 'k' } },
      { name: 'cgroup', resource: { kind: 'cgroup_memory', bytesMax: 5 } },
      { name: 'cpu', resource: { kind: 'cpu_utilization', ofContainer: false } },
      { name: 'cpu 2', resource: { kind: 'cpu_utilization', ofContainer: true } },
    ],
  });
});

it('triggers, actions, timers and load shed points', () => {
  const { data, reasons } = decode({
    resourceMonitors: [injected()],
    actions: [
      action('stop_accepting_requests'),
      action('shrink_heap', config('ShrinkHeapConfig', { timerInterval: '2s' })),
      action('reduce_timeouts', {
        triggers: [{ name: 'm', scaled: { scalingThreshold: 0.5, saturationThreshold: 0.75 } }],
        ...config('ScaleTimersOverloadActionConfig', {
          timerScaleFactors: [
            { timer: 'HTTP_DOWNSTREAM_CONNECTION_IDLE', minTimeout: '2s' },
            { timer: 'HTTP_DOWNSTREAM_STREAM_IDLE', minScale: { value: 10 } },
          ],
        }),
      }),
    ],
    loadshedPoints: [{ name: 'envoy.load_shed_points.tcp_listener_accept', triggers: [at()] }],
  });
  expect(reasons).toEqual([]);
  expect(data).toMatchObject({
    shrinkMs: 2000,
    actions: [
      { name: 'stop_accepting_requests', triggers: [{ resource: 'm', from: 0.9, to: 0.9 }] },
      { name: 'shrink_heap' },
      { name: 'reduce_timeouts', triggers: [{ resource: 'm', from: 0.5, to: 0.75 }] },
    ],
    timers: [
      { timer: 'HTTP_DOWNSTREAM_CONNECTION_IDLE', minimum: { kind: 'ms', ms: 2000 } },
      { timer: 'HTTP_DOWNSTREAM_STREAM_IDLE', minimum: { kind: 'share', share: 0.1 } },
    ],
    shedPoints: [{ name: 'tcp_listener_accept', triggers: [{ resource: 'm', from: 0.9, to: 0.9 }] }],
  });
});

const connections = 'envoy.resource_monitors.global_downstream_max_connections';
const limit = monitor(connections, 'downstream_connections.v3.DownstreamConnectionsConfig', {
  maxActiveDownstreamConnections: '5',
});

it('actions may follow the number of connections, load shed points may not', () => {
  expect(
    decode({ resourceMonitors: [limit], actions: [action('shrink_heap', { triggers: [at(connections)] })] }).reasons,
  ).toEqual([]);
  const point = { name: 'envoy.load_shed_points.tcp_listener_accept', triggers: [at(connections)] };
  expect(decode({ resourceMonitors: [limit], loadshedPoints: [point] }).reasons).toEqual([
    `o.loadshed_points[0].triggers[0]: Unknown trigger resource ${connections} for loadshed point ${point.name}`,
  ]);
});

/** Envoy's words, where it refuses too. */
const refused: readonly (readonly [string, JsonObject, string])[] = [
  ['two monitors of one name', { resourceMonitors: [injected(), injected()] }, 'Duplicate resource monitor m'],
  ['two limits of connections', { resourceMonitors: [limit, limit] }, `Duplicate resource monitor ${connections}`],
  [
    'a limit of connections under another name',
    { resourceMonitors: [{ ...limit, name: 'm' }] },
    "Didn't find a registered implementation for 'm'",
  ],
  [
    'an action that Envoy does not know',
    { actions: [action('nope', { triggers: [] })] },
    'Unknown Overload Manager Action',
  ],
  [
    'an action twice',
    { resourceMonitors: [injected()], actions: [action('shrink_heap'), action('shrink_heap')] },
    'Duplicate overload action envoy.overload_actions.shrink_heap',
  ],
  [
    'two triggers of one resource',
    { resourceMonitors: [injected()], actions: [action('shrink_heap', { triggers: [at(), at()] })] },
    'Duplicate trigger resource for overload action envoy.overload_actions.shrink_heap',
  ],
  [
    'a trigger without a resource',
    { actions: [action('shrink_heap')] },
    'Unknown trigger resource m for overload action envoy.overload_actions.shrink_heap',
  ],
  [
    'thresholds in the wrong order',
    {
      resourceMonitors: [injected()],
      actions: [
        action('shrink_heap', {
          triggers: [{ name: 'm', scaled: { scalingThreshold: 0.9, saturationThreshold: 0.9 } }],
        }),
      ],
    },
    'scaling_threshold must be less than saturation_threshold',
  ],
  [
    'a configuration of an action that has none',
    { resourceMonitors: [injected()], actions: [action('stop_accepting_requests', config('ShrinkHeapConfig'))] },
    'has an unexpected value for the typed_config field',
  ],
  ['reduce_timeouts without timers', { actions: [action('reduce_timeouts')] }, 'Unable to unpack as'],
  [
    'shrink_heap with the configuration of another',
    { resourceMonitors: [injected()], actions: [action('shrink_heap', config('ScaleTimersOverloadActionConfig'))] },
    'Unable to unpack as envoy.config.overload.v3.ShrinkHeapConfig',
  ],
  [
    'a timer twice',
    {
      resourceMonitors: [injected()],
      actions: [
        action(
          'reduce_timeouts',
          config('ScaleTimersOverloadActionConfig', {
            timerScaleFactors: [
              { timer: 'HTTP_DOWNSTREAM_STREAM_IDLE', minTimeout: '1s' },
              { timer: 'HTTP_DOWNSTREAM_STREAM_IDLE', minTimeout: '1s' },
            ],
          }),
        ),
      ],
    },
    'Found duplicate entry for timer type HTTP_DOWNSTREAM_STREAM_IDLE',
  ],
  [
    'a heap of nothing',
    { resourceMonitors: [monitor('m', 'fixed_heap.v3.FixedHeapConfig')] },
    'fixed_heap: max heap size must be greater than 0',
  ],
  [
    'a load shed point twice',
    {
      resourceMonitors: [injected()],
      loadshedPoints: [
        { name: 'envoy.load_shed_points.tcp_listener_accept', triggers: [at()] },
        { name: 'envoy.load_shed_points.tcp_listener_accept', triggers: [at()] },
      ],
    },
    'Duplicate loadshed point envoy.load_shed_points.tcp_listener_accept',
  ],
  [
    'two triggers of a load shed point',
    {
      resourceMonitors: [injected()],
      loadshedPoints: [{ name: 'envoy.load_shed_points.tcp_listener_accept', triggers: [at(), at()] }],
    },
    'Duplicate trigger resource for LoadShedPoint envoy.load_shed_points.tcp_listener_accept',
  ],
  [
    'reset_high_memory_stream, by name',
    { resourceMonitors: [injected()], actions: [action('reset_high_memory_stream')] },
    "overload action 'envoy.overload_actions.reset_high_memory_stream' is not supported by sekisho",
  ],
  ['buffer_factory_config, by name', { bufferFactoryConfig: {} }, "field 'buffer_factory_config' is not supported"],
  [
    'what tcmalloc may keep, by name',
    {
      resourceMonitors: [injected()],
      actions: [action('shrink_heap', config('ShrinkHeapConfig', { maxUnfreedMemoryBytes: '1' }))],
    },
    "field 'max_unfreed_memory_bytes' is not supported",
  ],
  [
    'load shed points of HTTP/3, by name',
    {
      resourceMonitors: [injected()],
      loadshedPoints: [{ name: 'envoy.load_shed_points.http3_server_go_away_on_dispatch', triggers: [at()] }],
    },
    "load shed point 'envoy.load_shed_points.http3_server_go_away_on_dispatch' is not supported by sekisho",
  ],
];

it.each(refused)('refuses %s', (_, json, reason) => {
  expect(decode(json).reasons.join('\n')).toContain(reason);
});
