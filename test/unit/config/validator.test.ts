import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { unwrapTypedStruct } from '../../../src/config/typed-struct.ts';
import { validate } from '../../../src/config/validator.ts';
import { ListenerSchema } from '../../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { TcpProxySchema } from '../../../src/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { TypedStructSchema } from '../../../src/proto/xds/type/v3/typed_struct_pb.js';

describe('validate', () => {
  it('looks into what is packed, for messages that came as bytes', () => {
    const listener = create(ListenerSchema, {
      filterChains: [
        {
          filters: [
            { name: 'a', configType: { case: 'typedConfig', value: anyPack(TcpProxySchema, create(TcpProxySchema)) } },
          ],
        },
      ],
    });
    expect(validate(ListenerSchema, listener).map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'filter_chains[0].filters[0].typed_config: one of cluster or weighted_clusters must be set',
      'filter_chains[0].filters[0].typed_config.stat_prefix: must not be empty, found ""',
    ]);
  });

  it('says when the bytes are no such message', () => {
    const typedConfig = {
      typeUrl: 'x/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
      value: Uint8Array.of(255),
    };
    const listener = create(ListenerSchema, {
      filterChains: [{ filters: [{ name: 'a', configType: { case: 'typedConfig', value: typedConfig } }] }],
    });
    expect(validate(ListenerSchema, listener)[0].path).toBe('filter_chains[0].filters[0].typed_config');
  });
});

describe('unwrapTypedStruct', () => {
  const typeUrl = 'type.googleapis.com/xds.type.v3.TypedStruct';
  const inner = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';

  it('packs the message that it stands for', () => {
    const struct = create(TypedStructSchema, { typeUrl: inner, value: { stat_prefix: 'x', cluster: 'c' } });
    const { packed, reasons } = unwrapTypedStruct({ typeUrl, value: toBinary(TypedStructSchema, struct) });
    const expected = create(TcpProxySchema, { statPrefix: 'x', clusterSpecifier: { case: 'cluster', value: 'c' } });
    expect(reasons).toEqual([]);
    expect(packed).toEqual({ typeUrl: inner, value: toBinary(TcpProxySchema, expected) });
  });

  it('refuses unknown fields and types', () => {
    const field = create(TypedStructSchema, { typeUrl: inner, value: { stat_prefx: 'x' } });
    expect(unwrapTypedStruct({ typeUrl, value: toBinary(TypedStructSchema, field) }).reasons).toEqual([
      expect.objectContaining({ path: 'stat_prefx', suggestion: 'stat_prefix' }),
    ]);
    const type = create(TypedStructSchema, { typeUrl: 'x/a.B', value: {} });
    expect(unwrapTypedStruct({ typeUrl, value: toBinary(TypedStructSchema, type) }).reasons).toHaveLength(1);
  });

  it('hands anything else back', () => {
    const packed = { typeUrl: inner, value: Uint8Array.of(1, 2) };
    expect(unwrapTypedStruct(packed).packed).toBe(packed);
  });
});
