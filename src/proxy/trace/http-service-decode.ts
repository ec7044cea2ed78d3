import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeHttpUri } from '../../filter/http-uri-decode.ts';
import type { CollectorData } from '../../observe/trace/trace-data.ts';
import { HeaderValueOptionSchema, HeaderValueSchema } from '../../proto/envoy/config/core/v3/base_pb.js';
import { HttpServiceSchema, type HttpService } from '../../proto/envoy/config/core/v3/http_service_pb.js';
import { wireText } from '../../route/wire-text.ts';

const serviceFields = new SupportedFields(HttpServiceSchema, ['http_uri', 'request_headers_to_add']);
const optionFields = new SupportedFields(HeaderValueOptionSchema, ['header']);
const headerFields = new SupportedFields(HeaderValueSchema, ['key', 'value']);

/** `envoy.config.core.v3.HttpService`: a collector that is told by whole requests. */
export function decodeHttpService(message: HttpService, reasons: Reasons): CollectorData {
  serviceFields.check(message, reasons);
  const headers = message.requestHeadersToAdd.map((option, i): [string, string] => {
    const at = reasons.at('request_headers_to_add', i);
    optionFields.check(option, at);
    if (option.header !== undefined) headerFields.check(option.header, at.at('header'));
    return [(option.header?.key ?? '').toLowerCase(), wireText(option.header?.value ?? '')];
  });
  return { ...decodeHttpUri(message.httpUri, reasons.at('http_uri')), headers };
}
