import { describe, expect, it } from 'vitest';

import { DEFAULT_TEXT } from '../../../../src/observe/access-log/access-log-data.ts';
import {
  compileFormat,
  compileJsonFormat,
  formatProblem,
  jsonFormatProblem,
  type FormatOptions,
  type JsonTemplate,
} from '../../../../src/observe/format/format.ts';
import { directStream, printed, refusedStream, tcpStream, upstreamStream } from './streams.ts';

// Expected values throughout: what a real Envoy 1.39.3 printed, or said, for the same format.

describe('the default format', () => {
  it('on HTTP', () => {
    const outcome = refusedStream();
    outcome.requestHead!.headers.add('x-forwarded-for', '10.0.0.2');
    expect(printed(compileFormat(DEFAULT_TEXT), outcome)).toBe(
      '[2026-11-21T11:20:59.045Z] "GET /down HTTP/1.1" 503 UF 0 98 0 - "10.0.0.2" "agent-x" ' +
        '"f71dbec9-1cd8-4277-a861-8f62bbddca2b" "127.0.0.1:29902" "127.0.0.1:29999"\n',
    );
  });

  it('on TCP', () => {
    expect(printed(compileFormat(DEFAULT_TEXT), tcpStream())).toBe(
      '[2026-11-21T11:20:59.313Z] "- - -" 0 - 76 142 10 - "-" "-" "-" "-" "127.0.0.1:29904"\n',
    );
  });
});

describe('text', () => {
  it.each([
    ['', ''],
    ['plain é☃', Buffer.from('plain é☃').toString('latin1')],
    ['100%%', '100%'],
    ['%PROTOCOL%%%', 'HTTP/1.1%'],
    ['a %DYNAMIC_METADATA(ns:obj)% %DYNAMIC_METADATA(ns:missing)%', 'a {"a":"y","b":"x"} -'],
    ['v=%FILTER_STATE(fs.key)% %FILTER_STATE(fs.key:PLAIN):2%', 'v="fsval" fs'],
    ['%REQ(:method)% %REQ(x-none)%%REQ(:scheme)%', 'POST -http'],
    ['<%REQ(x-bin)%>', '<a"\\\t\u00e9\u00ff>'],
    ['%DYNAMIC_METADATA(ns:obj):4%', '{"a"'],
  ])('%j', (format, expected) => {
    expect(printed(compileFormat(format), directStream())).toBe(expected);
  });

  it('omits what is missing, and only that', () => {
    const format = '[%REQ(x-none)%|%RESPONSE_FLAGS%|%ENVIRONMENT(NONE)%|%GRPC_STATUS%|%BYTES_RECEIVED%]';
    const options: FormatOptions = { context: { environment: {}, hostname: 'h', clock: null } };
    expect(printed(compileFormat(format, { ...options, omitEmptyValues: true }), directStream())).toBe('[|-|-||0]');
    expect(printed(compileFormat(format, options), directStream())).toBe('[-|-|-|-|0]');
  });

  it('as a header of the request, before anything is known', () => {
    const outcome = upstreamStream();
    outcome.responseHead = null;
    outcome.responseCode = 0;
    outcome.details = '';
    outcome.endMs = NaN;
    const header =
      '[%PROTOCOL%|%REQ(x-none)%|%RESPONSE_CODE%|%RESPONSE_FLAGS%|%RESPONSE_CODE_DETAILS%|%UPSTREAM_CLUSTER%]';
    expect(printed(compileFormat(header, { omitEmptyValues: true }), outcome)).toBe('[HTTP/1.1||0|-||up_alt]');
  });
});

describe('JSON', () => {
  const line = (template: JsonTemplate, options: FormatOptions = {}) =>
    printed(compileJsonFormat(template, options), directStream());

  it('sorts keys, keeps types, and ends the line', () => {
    expect(
      line({
        z: '%RESPONSE_CODE%',
        a: ['%PROTOCOL%', '%REQ(x-none)%', 3, null],
        m: { b: true, a: '%REQ(x-none)%' },
        e: {},
        n: 1.5,
        'A key "q"\n': 'k',
      }),
    ).toBe('{"A key \\"q\\"\\n":"k","a":["HTTP/1.1",null,3,null],"e":{},"m":{"a":null,"b":true},"n":1.5,"z":200}\n');
  });

  it('makes a string of several pieces', () => {
    expect(line({ v: '%PROTOCOL%|%REQ(x-none)%' })).toBe('{"v":"HTTP/1.1|-"}\n');
    expect(line({ v: '%PROTOCOL%|%REQ(x-none)%', w: '%REQ(x-none)%' }, { omitEmptyValues: true })).toBe(
      '{"v":"HTTP/1.1|","w":null}\n',
    );
    expect(line({ v: '100%%' })).toBe('{"v":"100%"}\n');
  });

  it('keeps UTF-8 and escapes other bytes one by one', () => {
    expect(line({ v: 'é☃\u0001"' })).toBe(`{"v":"${Buffer.from('é☃').toString('latin1')}\\u0001\\""}\n`);
    expect(line({ v: '%REQ(x-bin)%' })).toBe('{"v":"a\\u0022\\u005c\\u0009\\u00e9\\u00ff"}\n');
  });
});

describe('formatProblem', () => {
  it.each([
    ['%FOO%', 'Not supported field in StreamInfo: FOO'],
    ['%REQ%', 'REQ requires parameters'],
    ['%PROTOCOL(x)%', 'PROTOCOL does not take any parameters or length'],
    ['%PROTOCOL:3%', 'PROTOCOL does not take any parameters or length'],
    ['%START_TIME:3%', 'START_TIME does not allow length to be specified.'],
    ['%REQ(a?b?c)%', 'More than 1 alternative header specified in token: a?b?c'],
    ['%REQ(a b)%', 'Invalid header configuration. Format string contains invalid characters.'],
    ['%REQ(:)%', 'Invalid header configuration. Format string contains invalid characters.'],
    ['%', "Incorrect configuration: %. Couldn't find valid command at position 0"],
    ['100%', "Incorrect configuration: 100%. Couldn't find valid command at position 3"],
    ['%start_time%', "Incorrect configuration: %start_time%. Couldn't find valid command at position 0"],
    ['%REQ(A?B):x%', "Incorrect configuration: %REQ(A?B):x%. Couldn't find valid command at position 0"],
    ['%REQ(a)x%', "Incorrect configuration: %REQ(a)x%. Couldn't find valid command at position 0"],
    ['%START_TIME(%Y\n)%', "Incorrect configuration: %START_TIME(%Y\n)%. Couldn't find valid command at position 0"],
    ['%START_TIME(%n)%', 'Invalid header configuration. Format string contains newline.'],
    ['%COMMON_DURATION(A)%', 'Invalid common duration configuration: A.'],
    ['%COMMON_DURATION(A:B:xs)%', 'Invalid common duration precision: xs.'],
    ['%FILTER_STATE%', 'Invalid filter state configuration, key cannot be empty.'],
    ['%FILTER_STATE(a:X)%', 'Invalid filter state serialize type, only support PLAIN/TYPED/FIELD.'],
    ['%FILTER_STATE(a:FIELD)%', 'Invalid filter state serialize type, FIELD should be used with the field name.'],
    ['%FILTER_STATE(a:PLAIN:b)%', 'Invalid filter state serialize type, FIELD should be used with the field name.'],
    ['%PATH(X)%', "Invalid PATH option: 'X', only 'WQ'/'NQ' are allowed"],
    ['%PATH(NQ:X)%', "Invalid PATH option: 'X', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed"],
    ['%QUERY_PARAMS(x)%', "Invalid QUERY_PARAMS option: 'x', only 'ORIG'/'DECODED' are allowed"],
    ['%GRPC_STATUS(FOO)%', 'GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: FOO'],
    [
      '%REQUESTED_SERVER_NAME(x)%',
      "Invalid REQUESTED_SERVER_NAME option: 'x', only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed",
    ],
    ['%METADATA(X:a)%', 'X is not supported type of metadata'],
    ['%COALESCE({})%', "COALESCE: JSON configuration must contain 'operators' array"],
    ['%COALESCE({"operators":[]})%', "COALESCE: 'operators' array must not be empty"],
    ['%COALESCE({"operators":["NOPE"]})%', "COALESCE: failed to parse operator at index 0: unknown command: 'NOPE'"],
    ['%REQ_WITHOUT_QUERY(:PATH)%', 'Not supported field in StreamInfo: REQ_WITHOUT_QUERY'],
  ])('%j', (format, problem) => {
    expect(formatProblem(format)).toBe(problem);
  });

  it.each([
    '',
    'a%%b',
    '%TRAILER(:x)%',
    '%REQ(?)%',
    '%REQ(a%b)%',
    '%REQ(a%%)%',
    '%START_TIME(%Y%)%',
    '%START_TIME(%Q)%',
    '%PATH(::)%',
    '%GRPC_STATUS(NUMBER)%',
    '%COALESCE({"operators":[{"command":"REQ","param":"host","max_length":3}]})%',
    '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%',
    '%RESPONSE_CODE_DETAILS(X)%',
  ])('accepts %j', (format) => {
    expect(formatProblem(format)).toBeNull();
  });

  it('looks into every value of a JSON format', () => {
    expect(jsonFormatProblem({ a: [{ b: '%REQ%' }] })).toBe('REQ requires parameters');
    expect(jsonFormatProblem({ a: [{ b: 'REQ' }], c: null })).toBeNull();
  });
});
