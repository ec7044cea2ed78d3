import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { extensionEntries } from '../../../../src/extensions.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { decodeStreamFilters } from '../../../../src/cluster/protocol/stream-filters-decode.ts';
import type { StreamFilterData } from '../../../../src/core/extension.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { BufferSchema } from '../../../../src/proto/envoy/extensions/filters/http/buffer/v3/buffer_pb.js';
import { HTTPFaultSchema } from '../../../../src/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { UpstreamCodecSchema } from '../../../../src/proto/envoy/extensions/filters/http/upstream_codec/v3/upstream_codec_pb.js';
import { HttpFilterSchema } from '../../../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';

type Json = Record<string, JsonValue>;

const registry = createRegistry(BufferSchema, HTTPFaultSchema, UpstreamCodecSchema);
const extensions = new ExtensionTable(extensionEntries);
await extensions.load([BufferSchema, HTTPFaultSchema, UpstreamCodecSchema].map(({ typeName }) => typeName));

function filter(name: string, schema: { typeName: string }, fields: Json = {}, more: Json = {}): Json {
  return { name, typed_config: { '@type': `type.googleapis.com/${schema.typeName}`, ...fields }, ...more };
}

const codec = filter('codec', UpstreamCodecSchema);
const buffer = filter('buffer', BufferSchema, { max_request_bytes: 5 });

function decode(...filters: Json[]): { data: readonly StreamFilterData[] | null; reasons: string[] } {
  const reasons = new Reasons('options');
  const messages = filters.map((json) => fromJson(HttpFilterSchema, json, { registry }));
  const data = decodeStreamFilters(messages, reasons, 'http_filters', 'upstream http', extensions);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

describe('filters behind the router', () => {
  it('are none where none are configured, and those before the codec where some are', () => {
    expect(decode()).toEqual({ data: null, reasons: [] });
    expect(decode(codec)).toEqual({ data: [], reasons: [] });
    const { data, reasons } = decode(buffer, { ...buffer, name: 'other', disabled: true }, codec);
    expect(reasons).toEqual([]);
    expect(data!.map(({ name, kind, disabled }) => [name, kind, disabled])).toEqual([
      ['buffer', BufferSchema.typeName, false],
      ['other', BufferSchema.typeName, true],
    ]);
    expect(structuredClone(data)).toEqual(data);
  });

  it('end in the codec, and there alone', () => {
    const last = `The codec filter is the only valid terminal upstream HTTP filter, use '${UpstreamCodecSchema.typeName}'`;
    expect(decode(buffer).reasons).toEqual([`options.http_filters[0]: ${last}`]);
    expect(decode(codec, codec).reasons).toEqual([
      `options.http_filters[0]: terminal filter named codec of type ${UpstreamCodecSchema.typeName} must be the last filter in a upstream http filter chain`,
    ]);
    expect(decode(filter('codec', UpstreamCodecSchema, {}, { disabled: true })).reasons).toEqual([
      'options.http_filters[0]: the last (terminal) filter (codec) in the chain cannot be disabled by default',
    ]);
  });

  it('are those that Envoy has there', () => {
    expect(decode(filter('fault', HTTPFaultSchema), codec).reasons).toEqual([
      `options.http_filters[0].typed_config: Didn't find a registered implementation for 'fault' with type URL: ` +
        `'${HTTPFaultSchema.typeName}': it belongs to envoy.filters.http, not to envoy.filters.http.upstream`,
    ]);
  });

  it('do not come by ECDS', () => {
    const discovered = { name: 'x', config_discovery: { config_source: { ads: {} }, type_urls: ['a'] } };
    expect(decode(discovered, codec).reasons).toEqual([
      "options.http_filters[0].config_discovery: field 'config_discovery' is not supported by sekisho",
    ]);
  });
});
