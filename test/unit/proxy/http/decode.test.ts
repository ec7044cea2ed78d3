import { create, fromJson, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { RuntimeValues } from '../../../../src/control/runtime-view.ts';
import { emptyRuntime } from '../../../../src/core/runtime-view.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { extensionEntries } from '../../../../src/extensions.ts';
import {
  FaultAbortSchema,
  HTTPFaultSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { RouterSchema } from '../../../../src/proto/envoy/extensions/filters/http/router/v3/router_pb.js';
import {
  HttpConnectionManagerSchema,
  HttpFilterSchema,
  type HttpConnectionManager,
} from '../../../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { XffConfigSchema } from '../../../../src/proto/envoy/extensions/http/original_ip_detection/xff/v3/xff_pb.js';
import { decodeHttpConnectionManager } from '../../../../src/proxy/http/decode.ts';
import type { HcmData } from '../../../../src/proxy/http/hcm-data.ts';
import { runtimeOf } from '../../cluster/cluster-fixture.ts';

const extensions = new ExtensionTable(extensionEntries);
await extensions.load(extensions.kinds);

const router = create(HttpFilterSchema, {
  name: 'envoy.filters.http.router',
  configType: { case: 'typedConfig', value: anyPack(RouterSchema, create(RouterSchema)) },
});

/** JSON of Envoy's own shape, over the least that a connection manager needs. */
function decode(json: object, change?: (message: HttpConnectionManager) => void): [HcmData | null, string[]] {
  const message = fromJson(HttpConnectionManagerSchema, {
    statPrefix: 'p',
    ...('rds' in json ? {} : { routeConfig: {} }),
    ...json,
  });
  message.httpFilters = [router];
  change?.(message);
  const reasons = new Reasons();
  const data = decodeHttpConnectionManager(message, reasons, extensions);
  return [data, reasons.list.map(({ path, message: text }) => `${path}: ${text}`)];
}

test('defaults are Envoy’s', () => {
  const [data, reasons] = decode({});
  expect(reasons).toEqual([]);
  expect(structuredClone(data)).toEqual(data);
  expect(data).toMatchObject({
    statPrefix: 'p',
    httpFilters: [{ name: 'envoy.filters.http.router', disabled: false }],
    limits: {
      headerBytesMax: 61440,
      headerCountMax: 100,
      requestsPerConnectionMax: 0,
      headersWithUnderscores: 'ALLOW',
    },
    timeouts: {
      idleMs: 3_600_000,
      maxConnectionDurationMs: 0,
      maxConnectionJitter: 0,
      maxStreamDurationMs: 0,
      streamIdleMs: 300_000,
      streamFlushMs: 300_000,
      requestMs: 0,
      requestHeadersMs: 0,
      drainMs: 5000,
      drainJitter: 0,
      delayedCloseMs: 1000,
    },
    http1: { acceptHttp10: false, allowAbsoluteUrl: true, enableTrailers: false, headerKeyFormat: 'lower' },
    path: { normalize: null, mergeSlashes: false, escapedSlashes: 'IMPLEMENTATION_SPECIFIC_DEFAULT' },
    host: { stripPort: 'none', stripTrailingDot: false },
    client: { useRemoteAddress: false, xffNumTrustedHops: 0, detection: [], internalCidrRanges: [] },
    requestId: { generate: true, preserveExternal: false, alwaysSetInResponse: false, packTraceReason: true },
    response: { serverName: 'envoy', serverHeader: 'OVERWRITE', proxyStatus: null },
    localReply: { mappers: [], bodyFormat: null },
    proxy100Continue: false,
    streamErrorOnInvalidMessage: false,
  });
});

test('what is set arrives', () => {
  const [data, reasons] = decode({
    commonHttpProtocolOptions: { idleTimeout: '1.5s', maxHeadersCount: 7, headersWithUnderscoresAction: 'DROP_HEADER' },
    httpProtocolOptions: {
      acceptHttp10: true,
      defaultHostForHttp10: 'd',
      headerKeyFormat: { properCaseWords: {} },
      overrideStreamErrorOnInvalidHttpMessage: true,
      ignoreHttp11Upgrade: [{ exact: 'foo', ignoreCase: true }],
    },
    streamIdleTimeout: '0s',
    stripAnyHostPort: true,
    pathWithEscapedSlashesAction: 'UNESCAPE_AND_REDIRECT',
    internalAddressConfig: { cidrRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
    useRemoteAddress: true,
    serverHeaderTransformation: 'PASS_THROUGH',
    via: 'px',
    schemeHeaderTransformation: { schemeToOverwrite: 'https' },
    proxyStatusConfig: { literalProxyName: 'n' },
    localReplyConfig: {
      mappers: [
        {
          filter: { responseFlagFilter: { flags: ['NR'] } },
          statusCode: 418,
          body: { inlineString: 'ü' },
          headersToAdd: [{ header: { key: 'X-A', value: '%RESPONSE_CODE%' }, appendAction: 'ADD_IF_ABSENT' }],
        },
      ],
      bodyFormat: { jsonFormat: { a: '%RESPONSE_CODE%' } },
    },
  });
  expect(reasons).toEqual([]);
  expect(data).toMatchObject({
    limits: { headerCountMax: 7, headersWithUnderscores: 'DROP_HEADER' },
    timeouts: { idleMs: 1500, streamIdleMs: 0, streamFlushMs: 0 },
    http1: {
      acceptHttp10: true,
      defaultHostForHttp10: 'd',
      headerKeyFormat: 'proper-case',
      ignoredUpgrades: [{ kind: 'exact', value: 'foo', ignoreCase: true }],
    },
    streamErrorOnInvalidMessage: true,
    host: { stripPort: 'any' },
    path: { escapedSlashes: 'UNESCAPE_AND_REDIRECT' },
    client: { useRemoteAddress: true, internalCidrRanges: [{ address: '10.0.0.0', length: 8 }] },
    forwarding: { via: 'px', schemeToOverwrite: 'https' },
    response: { via: 'px', serverHeader: 'PASS_THROUGH', proxyStatus: { name: 'n', useNodeId: false } },
    localReply: {
      mappers: [
        {
          status: 418,
          body: '\xc3\xbc',
          bodyFormat: null,
          headers: [{ name: 'x-a', value: '%RESPONSE_CODE%', action: 'ADD_IF_ABSENT', keepEmpty: false }],
        },
      ],
      bodyFormat: { kind: 'json', template: { a: '%RESPONSE_CODE%' } },
    },
  });
});

test('original IP detection', () => {
  const config = create(XffConfigSchema, { xffNumTrustedHops: 2, skipXffAppend: false });
  const detect = (message: HttpConnectionManager) => {
    const typedConfig = anyPack(XffConfigSchema, config);
    message.originalIpDetectionExtensions = [
      { $typeName: 'envoy.config.core.v3.TypedExtensionConfig', name: 'xff', typedConfig },
    ];
  };
  expect(decode({}, detect)[0]?.client.detection).toEqual([
    { kind: 'xff', numTrustedHops: 2, trustedCidrs: null, skipXffAppend: false },
  ]);
  expect(decode({ useRemoteAddress: true }, detect)[1]).toEqual([
    'use_remote_address: original IP detection extensions and use_remote_address may not be mixed',
  ]);
});

describe('HTTP/2', () => {
  test('by default as Envoy', () => {
    const [data] = decode({});
    expect(data).toMatchObject({
      codecType: 'AUTO',
      http2: {
        hpackTableSize: 4096,
        maxConcurrentStreams: 1024,
        initialStreamWindowSize: 16 * 1024 * 1024,
        initialConnectionWindowSize: 24 * 1024 * 1024,
        streamErrorOnInvalidHttpMessage: false,
        keepAlive: null,
      },
    });
  });

  test('what is set', () => {
    const [data, reasons] = decode({
      codecType: 'HTTP2',
      http2ProtocolOptions: { maxConcurrentStreams: 7, connectionKeepalive: { interval: '30s', timeout: '1s' } },
      streamFlushTimeout: '7s',
    });
    expect(reasons).toEqual([]);
    expect(data).toMatchObject({
      codecType: 'HTTP2',
      http2: {
        maxConcurrentStreams: 7,
        keepAlive: { intervalMs: 30_000, timeoutMs: 1000, jitter: 0.15, idleIntervalMs: 0 },
      },
      timeouts: { streamFlushMs: 7000, streamIdleMs: 300_000 },
    });
  });

  test.each([
    [{ streamErrorOnInvalidHttpMessage: true }, true],
    [{ http2ProtocolOptions: { streamErrorOnInvalidHttpMessaging: true } }, true],
    [
      {
        streamErrorOnInvalidHttpMessage: true,
        http2ProtocolOptions: { overrideStreamErrorOnInvalidHttpMessage: false },
      },
      false,
    ],
    [
      { streamErrorOnInvalidHttpMessage: false, http2ProtocolOptions: { streamErrorOnInvalidHttpMessaging: true } },
      false,
    ],
  ])('an invalid message with %j', (json, endsStreamOnly) => {
    expect(decode(json)[0]?.http2.streamErrorOnInvalidHttpMessage).toBe(endsStreamOnly);
  });
});

describe('refused by name', () => {
  test.each<[object, string]>([
    [{ rds: { configSource: { ads: {} }, routeConfigName: 'r' } }, 'rds.config_source: route configurations by RDS'],
    [{ codecType: 'HTTP3' }, 'codec_type: HTTP3 is not supported'],
    [{ http2ProtocolOptions: { allowMetadata: true } }, 'http2_protocol_options.allow_metadata: field'],
    [{ http3ProtocolOptions: {} }, 'http3_protocol_options: field'],
    [{ upgradeConfigs: [{ upgradeType: 'CONNECT-UDP' }] }, 'upgrade_configs[0].upgrade_type: connect-udp is not'],
    [
      { upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'WebSocket' }] },
      "upgrade_configs[1]: Error: multiple upgrade configs with the same name: 'WebSocket'",
    ],
    [{ forwardClientCertMatcher: {} }, 'forward_client_cert_matcher: field'],
    [{ stripAnyHostPort: true, stripMatchingHostPort: true }, 'strip_any_host_port: only one'],
    [{ localReplyConfig: { bodyFormat: { textFormat: '%NOPE%' } } }, 'local_reply_config.body_format.text_format: Not'],
    [
      { internalAddressConfig: { cidrRanges: [{ addressPrefix: 'x' }] } },
      'internal_address_config.cidr_ranges[0]: inv',
    ],
    [
      { httpProtocolOptions: { ignoreHttp11Upgrade: [{ safeRegex: { regex: 'a' } }] } },
      'http_protocol_options.ignore_h',
    ],
  ])('%j', (json, reason) => {
    const [data, reasons] = decode(json);
    expect(data).toBeNull();
    expect(reasons).toEqual([expect.stringContaining(reason)]);
  });
});

describe('http_filters', () => {
  const fault = (status: number) =>
    create(HttpFilterSchema, {
      name: 'fault',
      configType: {
        case: 'typedConfig',
        value: {
          $typeName: 'google.protobuf.Any',
          typeUrl: `type.googleapis.com/${HTTPFaultSchema.typeName}`,
          value: toBinary(
            HTTPFaultSchema,
            create(HTTPFaultSchema, {
              abort: create(FaultAbortSchema, { errorType: { case: 'httpStatus', value: status } }),
            }),
          ),
        },
      },
    });
  const filters = (...list: (typeof router)[]) => decode({}, (message) => (message.httpFilters = list));

  test('the router is last', () => {
    expect(filters(fault(418), router)[0]?.httpFilters.map(({ name }) => name)).toEqual([
      'fault',
      'envoy.filters.http.router',
    ]);
    expect(filters(router, fault(418))[1]).toEqual([
      expect.stringMatching(/^http_filters\[0\]: terminal filter .* must be the last/),
      expect.stringMatching(/^http_filters\[1\]: non-terminal filter named fault .* is the last/),
    ]);
    expect(filters()[1]).toEqual([expect.stringContaining('http_filters: ')]);
  });

  test('an unknown filter is refused even where it is optional', () => {
    const unknown = create(HttpFilterSchema, {
      name: 'guard',
      isOptional: true,
      configType: {
        case: 'typedConfig',
        value: { $typeName: 'google.protobuf.Any', typeUrl: 'type.googleapis.com/a.B', value: new Uint8Array(0) },
      },
    });
    expect(filters(unknown, router)[1]).toEqual([
      "http_filters[0].typed_config: extension 'guard' (envoy.filters.http) of type 'a.B' is not supported by sekisho",
    ]);
  });
});

test('the runtime of the configuration says how large a regular expression of a route may be', () => {
  const regex = '(a|b|c){1,60}x';
  const route = { match: { safeRegex: { regex } }, directResponse: { status: 200 } };
  const json = { routeConfig: { virtualHosts: [{ name: 'v', domains: ['*'], routes: [route] }] } };
  expect(decode(json)[1].join()).toContain('max program size of 100');
  extensions.runtime = new RuntimeValues(runtimeOf({ 're2.max_program_size.error_level': '32768' }));
  try {
    expect(decode(json)[1]).toEqual([]);
  } finally {
    extensions.runtime = emptyRuntime;
  }
});
