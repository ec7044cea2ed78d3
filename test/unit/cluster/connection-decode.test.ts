import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { ClusterData } from '../../../src/cluster/cluster-data.ts';
import { decodeCluster } from '../../../src/cluster/decode.ts';
import { ExtensionTable } from '../../../src/control/extension-table.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { World } from './cluster-fixture.ts';

type Json = Record<string, JsonValue>;

function decode(json: Json): { data: ClusterData | null; reasons: string[] } {
  const reasons = new Reasons('cluster');
  const data = decodeCluster(fromJson(ClusterSchema, { name: 'c', ...json }), reasons, new ExtensionTable([]));
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

function accepted(json: Json): ClusterData {
  const { data, reasons } = decode(json);
  expect(reasons).toEqual([]);
  return data!;
}

describe('where connections come from', () => {
  const source = (address: string): Json => ({ address, port_value: 0 });
  const extra = (address: string): Json => ({ address: source(address) });

  it('may differ between the IP families', () => {
    const bind = { source_address: source('127.0.0.6'), extra_source_addresses: [extra('::6')] };
    expect(accepted({ upstream_bind_config: bind })).toMatchObject({
      bindAddress: { host: '127.0.0.6', port: 0 },
      otherBindAddress: { host: '::6', port: 0 },
    });
  });

  it('may be told to the kernel', () => {
    const option = { level: '1', name: '2', int_value: '3' };
    const decoded = { level: 1, name: 2, value: 3, moment: 'before-bind', family: 0 };
    expect(accepted({ upstream_bind_config: { socket_options: [option] } })).toMatchObject({
      bindAddress: null,
      socketOptions: [decoded],
    });
    const bind = {
      source_address: source('127.0.0.6'),
      freebind: true,
      socket_options: [option],
      extra_source_addresses: [{ ...extra('::6'), socket_options: { socket_options: [{ ...option, name: '4' }] } }],
    };
    expect(accepted({ upstream_bind_config: bind })).toMatchObject({
      bindsFreely: true,
      socketOptions: [decoded],
      otherSocketOptions: [{ ...decoded, name: 4 }],
    });
    expect(accepted({ upstream_bind_config: { ...bind, freebind: false } })).not.toHaveProperty('bindsFreely');
    const lb_endpoints = [{ endpoint: { address: { pipe: { path: '/x' } } } }];
    const load_assignment = { cluster_name: 'c', endpoints: [{ lb_endpoints }] };
    expect(decode({ upstream_bind_config: bind, load_assignment }).reasons).toEqual([
      'cluster.upstream_bind_config.socket_options: are supported by sekisho for IP addresses only',
    ]);
  });

  it.each<[Json, string]>([
    [
      { extra_source_addresses: [extra('::6')] },
      "Cluster c's upstream binding config has extra/additional source addresses but no source_address. Extra/additional addresses cannot be specified if source_address is not set.",
    ],
    [
      { source_address: source('::1'), extra_source_addresses: [extra('127.0.0.6'), extra('127.0.0.7')] },
      "Cluster c's upstream binding config has more than one extra/additional source addresses. Only one extra/additional source can be supported in BindConfig's extra_source_addresses/additional_source_addresses field",
    ],
    [
      { source_address: source('::1'), additional_source_addresses: [source('::2')] },
      "Cluster c's upstream binding config has two same IP version source addresses. Only two different IP version source addresses can be supported in BindConfig's source_address and extra_source_addresses/additional_source_addresses fields",
    ],
    [
      {
        source_address: source('::1'),
        additional_source_addresses: [],
        extra_source_addresses: [{ address: source('localhost') }],
      },
      'malformed IP address: localhost',
    ],
  ])('is refused in the words of Envoy: %j', (bind, reason) => {
    expect(decode({ upstream_bind_config: bind }).reasons.map((text) => text.slice(text.indexOf(': ') + 2))).toEqual([
      reason,
    ]);
  });

  it('keeps connections alive', () => {
    const keepalive = { keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 };
    expect(accepted({ upstream_connection_options: { tcp_keepalive: keepalive } })).toMatchObject({
      keepAliveSeconds: 30,
      keepAliveIntervalSeconds: 5,
      keepAliveProbes: 3,
    });
  });
});

it('hosts are dialled from the address of their family', () => {
  const [own, other] = [
    { host: '127.0.0.6', port: 0 },
    { host: '::6', port: 0 },
  ];
  const from = (change: Partial<ClusterData>, host: string): unknown =>
    new World().cluster(change).dialOptions({ kind: 'ip', host, port: 80 }).bindAddress;
  expect(from({ bindAddress: own, otherBindAddress: other }, '10.0.0.1')).toEqual(own);
  expect(from({ bindAddress: own, otherBindAddress: other }, '2001:db8::1')).toEqual(other);
  expect(from({ bindAddress: own }, '2001:db8::1')).toEqual(own);
  expect(from({}, '10.0.0.1')).toBeNull();
});
