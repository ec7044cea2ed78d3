import { create, fromJson, toBinary, type JsonValue } from '@bufbuild/protobuf';
import { createRegistry } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import type { ExtensionDecoder, Extensions } from '../../../../src/core/extension.ts';
import { ResponseFlag } from '../../../../src/core/failure.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { DEFAULT_FORMAT, DEFAULT_TEXT } from '../../../../src/observe/access-log/access-log-data.ts';
import { decodeAccessLogs } from '../../../../src/observe/access-log/decode.ts';
import {
  fileAccessLogDecoder,
  stderrAccessLogDecoder,
  stdoutAccessLogDecoder,
} from '../../../../src/observe/access-log/loggers-decode.ts';
import { AccessLogSchema } from '../../../../src/proto/envoy/config/accesslog/v3/accesslog_pb.js';
import { FileAccessLogSchema } from '../../../../src/proto/envoy/extensions/access_loggers/file/v3/file_pb.js';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '../../../../src/proto/envoy/extensions/access_loggers/stream/v3/stream_pb.js';
import { MetadataSchema } from '../../../../src/proto/envoy/extensions/formatter/metadata/v3/metadata_pb.js';
import { ReqWithoutQuerySchema } from '../../../../src/proto/envoy/extensions/formatter/req_without_query/v3/req_without_query_pb.js';
import { CelSchema } from '../../../../src/proto/envoy/extensions/formatter/cel/v3/cel_pb.js';

const registry = createRegistry(
  FileAccessLogSchema,
  StdoutAccessLogSchema,
  StderrAccessLogSchema,
  ReqWithoutQuerySchema,
  MetadataSchema,
  CelSchema,
);
const loggers: readonly ExtensionDecoder[] = [fileAccessLogDecoder, stdoutAccessLogDecoder, stderrAccessLogDecoder];

const extensions: Extensions = {
  open(_category, name, config, reasons) {
    const decoder = loggers.find(({ kind }) => config?.typeUrl.endsWith(`/${kind}`));
    if (config === undefined || decoder === undefined) {
      reasons.add(`no logger '${name}'`);
      return null;
    }
    const before = reasons.list.length;
    const data = decoder.decode(config.value, reasons.at('typed_config'), extensions);
    return reasons.list.length > before ? null : { name, kind: decoder.kind, data };
  },
};

function decode(logs: readonly JsonValue[], headerMatcher?: (message: { name: string }) => unknown) {
  const reasons = new Reasons('access_log');
  const messages = logs.map((log) => fromJson(AccessLogSchema, log, { registry }));
  const data = decodeAccessLogs(messages, reasons, extensions, headerMatcher ?? null);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
const file = (more: Record<string, JsonValue> = {}): JsonValue => ({
  name: 'f',
  typed_config: { '@type': type('access_loggers.file.v3.FileAccessLog'), path: '/tmp/a.log', ...more },
});
const filtered = (filter: JsonValue): JsonValue => ({ ...(file() as object), filter });

describe('loggers', () => {
  it('defaults', () => {
    const stream = (name: string) => ({
      name: 's',
      typed_config: { '@type': type(`access_loggers.stream.v3.${name}`) },
    });
    const { data, reasons } = decode([
      file(),
      stream('StdoutAccessLog'),
      stream('StderrAccessLog'),
      file({ format: '' }),
    ]);
    expect(reasons).toEqual([]);
    expect(data.map(({ sink }) => sink)).toEqual([
      { kind: 'file', path: '/tmp/a.log' },
      { kind: 'stdout' },
      { kind: 'stderr' },
      { kind: 'file', path: '/tmp/a.log' },
    ]);
    for (const log of data) expect(log.format).toEqual(DEFAULT_FORMAT);
    expect(DEFAULT_TEXT.endsWith('"%UPSTREAM_HOST%"\n')).toBe(true);
  });

  it('every way to say a format', () => {
    const { data, reasons } = decode([
      file({ format: 'old %PROTOCOL%' }),
      file({ json_format: { a: '%PROTOCOL%' } }),
      file({ typed_json_format: { a: 1 } }),
      file({ log_format: { text_format: 'a', omit_empty_values: true, content_type: 'x/y' } }),
      file({ log_format: { text_format_source: { inline_string: 'b' } } }),
      file({ log_format: { text_format_source: { inline_bytes: 'Yw==' } } }),
      file({
        log_format: { json_format: { a: ['%PROTOCOL%', null] }, json_format_options: { sort_properties: true } },
      }),
    ]);
    expect(reasons).toEqual([]);
    const plain = { omitEmptyValues: false, extensions: [], contentType: '' };
    expect(data.map(({ format }) => format)).toEqual([
      { ...plain, kind: 'text', text: 'old %PROTOCOL%' },
      { ...plain, kind: 'json', template: { a: '%PROTOCOL%' } },
      { ...plain, kind: 'json', template: { a: 1 } },
      { kind: 'text', text: 'a', omitEmptyValues: true, extensions: [], contentType: 'x/y' },
      { ...plain, kind: 'text', text: 'b' },
      { ...plain, kind: 'text', text: 'c' },
      { ...plain, kind: 'json', template: { a: ['%PROTOCOL%', null] } },
    ]);
  });

  it('formatter extensions', () => {
    const formatter = (name: string) => ({ name: 'x', typed_config: { '@type': type(`formatter.${name}`) } });
    const text_format = '%REQ_WITHOUT_QUERY(:PATH)%';
    const known = [
      formatter('req_without_query.v3.ReqWithoutQuery'),
      formatter('metadata.v3.Metadata'),
      formatter('cel.v3.Cel'),
    ];
    expect(decode([file({ log_format: { text_format, formatters: known } })]).data[0].format.extensions).toEqual([
      'req_without_query',
    ]);
  });

  it('says what is wrong, with the path to it', () => {
    const { data, reasons } = decode([
      file({ format: '%FOO%' }),
      file({ log_format: { json_format: { a: '%REQ%' } } }),
      file({ log_format: { text_format_source: { filename: '/nope' } } }),
      file({ log_format: { text_format_source: { environment_variable: 'SEKISHO_NOT_SET' } } }),
      file({ log_format: {} }),
    ]);
    expect(data).toEqual([]);
    expect(reasons).toEqual([
      'access_log[0].typed_config.format: Not supported field in StreamInfo: FOO',
      'access_log[1].typed_config.log_format.json_format: REQ requires parameters',
      'access_log[2].typed_config.log_format.text_format_source.filename: Invalid path: /nope',
      "access_log[3].typed_config.log_format.text_format_source.environment_variable: Environment variable doesn't exist: SEKISHO_NOT_SET",
      'access_log[4].typed_config.log_format: needs one of text_format, text_format_source and json_format',
    ]);
  });
});

describe('filters', () => {
  const filterOf = (filter: JsonValue) => {
    const { data, reasons } = decode([filtered(filter)]);
    expect(reasons).toEqual([]);
    return data[0].filter;
  };
  const comparison = { op: 'GE', value: { default_value: 500, runtime_key: 'k' } };

  it.each<[JsonValue, unknown]>([
    [
      { status_code_filter: { comparison } },
      { kind: 'status-code', comparison: { op: 'GE', value: 500, runtimeKey: 'k' } },
    ],
    [
      { duration_filter: { comparison: { value: { default_value: 3 } } } },
      { kind: 'duration', comparison: { op: 'EQ', value: 3, runtimeKey: '' } },
    ],
    [{ not_health_check_filter: {} }, { kind: 'not-health-check' }],
    [{ traceable_filter: {} }, { kind: 'traceable' }],
    [
      { runtime_filter: { runtime_key: 'a', percent_sampled: { numerator: 5, denominator: 'MILLION' } } },
      { kind: 'runtime', key: 'a', numerator: 5, denominator: 1_000_000, independentRandomness: false },
    ],
    [
      { and_filter: { filters: [{ not_health_check_filter: {} }, { response_flag_filter: { flags: ['UF', 'NR'] } }] } },
      {
        kind: 'and',
        filters: [
          { kind: 'not-health-check' },
          { kind: 'response-flag', flags: ResponseFlag.UpstreamConnectionFailure | ResponseFlag.NoRouteFound },
        ],
      },
    ],
    [
      { or_filter: { filters: [{ response_flag_filter: {} }] } },
      { kind: 'or', filters: [{ kind: 'response-flag', flags: 0 }] },
    ],
    [
      { grpc_status_filter: { statuses: ['OK', 'UNAVAILABLE'], exclude: true } },
      { kind: 'grpc-status', statuses: [0, 14], exclude: true },
    ],
    [
      { log_type_filter: { types: ['DownstreamEnd', 'TcpConnectionEnd'] } },
      { kind: 'log-type', types: ['DownstreamEnd', 'TcpConnectionEnd'], exclude: false },
    ],
    [
      {
        metadata_filter: {
          matcher: { filter: 'ns', path: [{ key: 'a' }, { key: 'b' }], value: { string_match: { prefix: 'x' } } },
          match_if_key_not_found: false,
        },
      },
      {
        kind: 'metadata',
        namespace: 'ns',
        path: ['a', 'b'],
        value: { kind: 'string', matcher: { kind: 'prefix', value: 'x', ignoreCase: false } },
        matchIfKeyNotFound: false,
      },
    ],
  ])('%j', (filter, expected) => {
    expect(filterOf(filter)).toEqual(expected);
  });

  it('a header filter is decoded by the route room, where one is given', () => {
    const filter = filtered({ header_filter: { header: { name: 'x', present_match: true } } });
    expect(decode([filter], ({ name }) => ({ name })).data[0].filter).toEqual({
      kind: 'header',
      matcher: { name: 'x' },
    });
    expect(decode([filter]).reasons).toEqual([
      "access_log[0].filter.header_filter.header: field 'header' is not supported by sekisho in this place",
    ]);
  });

  it('an extension filter and an unknown flag are refused', () => {
    const any = { '@type': type('access_loggers.file.v3.FileAccessLog'), path: 'x' };
    expect(decode([filtered({ extension_filter: { name: 'x', typed_config: any } })]).reasons).toEqual([
      "access_log[0].filter.extension_filter.typed_config: access log filter 'x' of type " +
        "'envoy.extensions.access_loggers.file.v3.FileAccessLog' is not supported by sekisho",
    ]);
    expect(decode([filtered({ response_flag_filter: { flags: ['XX'] } })]).reasons).toEqual([
      "access_log[0].filter.response_flag_filter.flags[0]: 'XX' is not a response flag",
    ]);
  });
});

it('a logger decodes what it is given', () => {
  const reasons = new Reasons();
  fileAccessLogDecoder.decode(toBinary(FileAccessLogSchema, create(FileAccessLogSchema)), reasons, extensions);
  expect(reasons.list).toEqual([{ path: 'path', message: 'must not be empty' }]);
});
