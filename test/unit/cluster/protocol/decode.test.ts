import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { decodeCluster } from '../../../../src/cluster/decode.ts';
import {
  httpProtocolOptionsDecoder,
  tcpProtocolOptionsDecoder,
} from '../../../../src/cluster/protocol/extension-decode.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { PreserveCaseFormatterConfigSchema } from '../../../../src/proto/envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case_pb.js';
import { HttpProtocolOptionsSchema } from '../../../../src/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { TcpProtocolOptionsSchema } from '../../../../src/proto/envoy/extensions/upstreams/tcp/v3/tcp_protocol_options_pb.js';
import { clusterData } from '../cluster-fixture.ts';

const registry = createRegistry(PreserveCaseFormatterConfigSchema, HttpProtocolOptionsSchema, TcpProtocolOptionsSchema);
const decoders = [httpProtocolOptionsDecoder, tcpProtocolOptionsDecoder];
const extensions = new ExtensionTable(
  decoders.map((decoder) => ({
    category: 'envoy.upstream_options',
    kind: decoder.kind,
    load: () => Promise.resolve(decoder),
  })),
);
await extensions.load(decoders.map(({ kind }) => kind));

type Json = Record<string, JsonValue>;

function decode(json: Json): { data: ClusterData | null; reasons: string[] } {
  const reasons = new Reasons('cluster');
  const data = decodeCluster(fromJson(ClusterSchema, { name: 'c', ...json }, { registry }), reasons, extensions);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

function accepted(json: Json): ClusterData {
  const { data, reasons } = decode(json);
  expect(reasons).toEqual([]);
  // Plain data: it must survive the way to a worker.
  expect(structuredClone(data)).toEqual(data);
  return data!;
}

function any(schema: { typeName: string }, fields: Json = {}): Json {
  return { '@type': `type.googleapis.com/${schema.typeName}`, ...fields };
}

describe('protocol options', () => {
  const key = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

  it('reads HTTP/1.1', () => {
    const config = any(HttpProtocolOptionsSchema, {
      common_http_protocol_options: {
        idle_timeout: '0s',
        max_connection_duration: '60s',
        max_headers_count: 10,
        max_response_headers_kb: 16,
        max_requests_per_connection: 5,
      },
      explicit_http_config: {
        http_protocol_options: {
          enable_trailers: true,
          allow_chunked_length: true,
          send_fully_qualified_url: true,
          header_key_format: {
            stateful_formatter: { name: 'p', typed_config: any(PreserveCaseFormatterConfigSchema) },
          },
        },
      },
    });
    expect(accepted({ typed_extension_protocol_options: { [key]: config } }).http).toEqual({
      idleTimeoutMs: 0,
      maxConnectionDurationMs: 60_000,
      maxRequestsPerConnection: 5,
      maxResponseHeaderCount: 10,
      maxResponseHeaderBytes: 16_384,
      http1: {
        enableTrailers: true,
        allowChunkedLength: true,
        sendFullyQualifiedUrl: true,
        headerKeyFormat: 'preserve-case',
      },
      protocol: 'http1',
      names: { autoSni: false, autoSanValidation: false, header: '' },
      http2: clusterData().http.http2,
    });
  });

  it('reads the older fields where there are no newer ones', () => {
    expect(
      accepted({
        max_requests_per_connection: 3,
        common_http_protocol_options: { idle_timeout: '7s' },
        http_protocol_options: { header_key_format: { proper_case_words: {} } },
      }).http,
    ).toMatchObject({ maxRequestsPerConnection: 3, idleTimeoutMs: 7000, http1: { headerKeyFormat: 'proper-case' } });
  });

  it('reads which protocol is spoken', () => {
    const typed = (fields: Json): string =>
      accepted({ typed_extension_protocol_options: { [key]: any(HttpProtocolOptionsSchema, fields) } }).http.protocol;
    expect(typed({ explicit_http_config: { http_protocol_options: {} } })).toBe('http1');
    expect(typed({ explicit_http_config: { http2_protocol_options: {} } })).toBe('http2');
    expect(typed({ use_downstream_protocol_config: { http2_protocol_options: {} } })).toBe('downstream');
    expect(accepted({}).http.protocol).toBe('http1');
    expect(accepted({ http2_protocol_options: { max_concurrent_streams: 7 } }).http).toMatchObject({
      protocol: 'http2',
      http2: { maxConcurrentStreams: 7 },
    });
    const followed = { protocol_selection: 'USE_DOWNSTREAM_PROTOCOL', http_protocol_options: {} };
    expect(accepted({ ...followed, http2_protocol_options: {} }).http.protocol).toBe('downstream');
    expect(decode({ http_protocol_options: {}, http2_protocol_options: {} }).reasons).toEqual([
      "cluster: Both HTTP1 and HTTP2 options may only be configured with non-default 'protocol_selection' values",
    ]);
  });

  it('takes TCP options, which say how long connections wait that were opened ahead', () => {
    const config = any(TcpProtocolOptionsSchema, { idle_timeout: '1s' });
    const typed = { 'envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions': config };
    expect(accepted({ typed_extension_protocol_options: typed }).preconnect).toBeUndefined();
    const preconnect_policy = { per_upstream_preconnect_ratio: 1.5 };
    expect(accepted({ typed_extension_protocol_options: typed, preconnect_policy }).preconnect).toEqual({
      ratio: 1.5,
      tcpIdleMs: 1000,
    });
    expect(accepted({ preconnect_policy }).preconnect!.tcpIdleMs).toBe(600_000);
    expect(accepted({ preconnect_policy: { per_upstream_preconnect_ratio: 1 } }).preconnect).toBeUndefined();
  });

  it.each<[Json, string]>([
    [{ explicit_http_config: { http3_protocol_options: {} } }, 'explicit_http_config.http3_protocol_options'],
    [{ auto_config: { http3_protocol_options: {} } }, 'auto_config.http3_protocol_options'],
    [
      { use_downstream_protocol_config: { http2_protocol_options: { allow_metadata: true } } },
      'use_downstream_protocol_config.http2_protocol_options.allow_metadata',
    ],
    [
      { common_http_protocol_options: { max_stream_duration: '1s' } },
      'common_http_protocol_options.max_stream_duration',
    ],
  ])('refuses %j by name', (fields, path) => {
    const json = { typed_extension_protocol_options: { [key]: any(HttpProtocolOptionsSchema, fields) } };
    expect(decode(json).reasons).toHaveLength(1);
    expect(decode(json).reasons[0]).toContain(`${path}: field`);
  });
});
