/** What scenarios say of resources that come over ADS. */
import type { DescMessage, JsonObject } from '@bufbuild/protobuf';
import { messageTypes } from '../../src/admin/dump/message-types.ts';
import { fromJson, toBinary } from '../../src/proto/protobuf.js';

type Json = Record<string, unknown>;

export const node = { id: 'me', cluster: 'mine' };
export const overAds = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

export const http2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** Over the cluster `xds`. */
export const api = (apiType: string): Json => ({
  api_type: apiType,
  transport_api_version: 'V3',
  grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
});

/** What is undefined is not there. */
export function pack(type: DescMessage, json: Json): Uint8Array {
  const plain = JSON.parse(JSON.stringify(json)) as JsonObject;
  return toBinary(type, fromJson(type, plain, { registry: messageTypes }));
}
