import { fieldValue } from '../../../core/field-value.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { RequestMethod, type HeaderValueOption } from '../../../proto/envoy/config/core/v3/base_pb.js';
import {
  HealthCheck_HttpHealthCheckSchema,
  type HealthCheck_HttpHealthCheck,
} from '../../../proto/envoy/config/core/v3/health_check_pb.js';
import type { StringMatcher } from '../../../proto/envoy/type/matcher/v3/string_pb.js';
import { CodecClientType } from '../../../proto/envoy/type/v3/http_pb.js';
import { Int64RangeSchema, type Int64Range } from '../../../proto/envoy/type/v3/range_pb.js';
import type { HttpProbeData, StatusRange } from '../health-check-data.ts';
import { decodePayload } from './payload-decode.ts';

/** What of a check other rooms decode. */
export interface DecodeProbeWords {
  /** `field`: where the list stands. Null: nothing changes. */
  headers(
    add: readonly HeaderValueOption[],
    remove: readonly string[],
    reasons: Reasons,
    field: 'request_headers_to' | 'initial_metadata',
  ): unknown;
  string(message: StringMatcher, reasons: Reasons): unknown;
}

/** Envoy's default of response_buffer_size. */
const defaultResponseBytes = 1024;

const supported = new SupportedFields(HealthCheck_HttpHealthCheckSchema, [
  'host',
  'path',
  'send',
  'receive',
  'response_buffer_size',
  'request_headers_to_add',
  'request_headers_to_remove',
  'expected_statuses',
  'retriable_statuses',
  'codec_client_type',
  'service_name_matcher',
  'method',
]);
const supportedRange = new SupportedFields(Int64RangeSchema, ['start', 'end']);

const withoutBody: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'TRACE']);

export function decodeHttpProbe(
  check: HealthCheck_HttpHealthCheck,
  reasons: Reasons,
  words: DecodeProbeWords,
): HttpProbeData {
  supported.check(check, reasons);
  const method = check.method === RequestMethod.METHOD_UNSPECIFIED ? 'GET' : RequestMethod[check.method];
  if (check.codecClientType === CodecClientType.HTTP3) reasons.at('codec_client_type').unsupported('HTTP3');
  if (check.send !== undefined && withoutBody.has(method))
    reasons
      .at('send')
      .add(
        `HTTP health check cannot specify a request payload with method '${method}'. Only methods that support a request body (POST, PUT, PATCH, OPTIONS) can be used with payload.`,
      );
  const receive = check.receive.map((payload, i) => decodePayload(payload, reasons.at('receive', i)));
  const responseBytesMax = Number(check.responseBufferSize ?? defaultResponseBytes);
  const length = receive.reduce((all, bytes) => all + bytes.length, 0);
  if (responseBytesMax !== 0 && length > responseBytesMax)
    reasons
      .at('receive')
      .add(
        `The expected response length '${length}' is over than http health response buffer size '${responseBytesMax}'`,
      );
  const expected = decodeRanges(check.expectedStatuses, 'expected', reasons);
  return {
    kind: 'http',
    host: fieldValue(check.host),
    path: fieldValue(check.path),
    method,
    version: check.codecClientType === CodecClientType.HTTP2 ? 'http2' : 'http1',
    expected: expected.length === 0 ? [{ start: 200, end: 201 }] : expected,
    retriable: decodeRanges(check.retriableStatuses, 'retriable', reasons),
    send: check.send === undefined ? null : decodePayload(check.send, reasons.at('send')),
    receive,
    responseBytesMax,
    headers: words.headers(check.requestHeadersToAdd, check.requestHeadersToRemove, reasons, 'request_headers_to'),
    serviceName:
      check.serviceNameMatcher === undefined
        ? null
        : words.string(check.serviceNameMatcher, reasons.at('service_name_matcher')),
  };
}

function decodeRanges(ranges: readonly Int64Range[], kind: 'expected' | 'retriable', reasons: Reasons): StatusRange[] {
  return ranges.map((range, i) => {
    const at = reasons.at(`${kind}_statuses`, i);
    supportedRange.check(range, at);
    const start = Number(range.start);
    const end = Number(range.end);
    const begin = `Invalid http ${kind} status range: expecting `;
    if (start >= end) at.add(`${begin}start < end, but found start=${start} and end=${end}`);
    else if (start < 100) at.add(`${begin}start >= 100, but found start=${start}`);
    else if (end > 600) at.add(`${begin}end <= 600, but found end=${end}`);
    return { start, end };
  });
}
