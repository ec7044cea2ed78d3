import { readFileSync } from 'node:fs';
import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { HttpFilter } from '../../../../src/filter/filter.ts';
import { grpcJsonTranscoderBuilder } from '../../../../src/filter/grpc-json-transcoder/build.ts';
import { decodeTranscoder } from '../../../../src/filter/grpc-json-transcoder/decode.ts';
import { decodeSchema, readDescriptorSet } from '../../../../src/filter/grpc-json-transcoder/decode-schema.ts';
import { Schema } from '../../../../src/filter/grpc-json-transcoder/schema/schema.ts';
import type { TranscoderData } from '../../../../src/filter/grpc-json-transcoder/transcoder-data.ts';
import {
  GrpcJsonTranscoder_UrlUnescapeSpec as Unescape,
  GrpcJsonTranscoderSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/grpc_json_transcoder/v3/transcoder_pb.js';
import { filterContext, type TestContext } from '../filter-fixture.ts';
import { Exchange } from './exchange.ts';

type Options = MessageInitShape<typeof GrpcJsonTranscoderSchema>;

/** `buf build` of library.proto. */
export const descriptorSet = new Uint8Array(readFileSync(new URL('library.binpb', import.meta.url)));
const registry = readDescriptorSet(descriptorSet);
export const schema = new Schema(decodeSchema(registry, false));
export const every = schema.message('test.library.Every')!;
/** Of protobuf-es: what a message means, told by somebody else. */
export const everyDesc = registry.getMessage('test.library.Every')!;
export { registry };

/** A descriptor set's files, to be changed. */
export function descriptorFiles(): ReturnType<typeof fromBinary<typeof FileDescriptorSetSchema>> {
  return fromBinary(FileDescriptorSetSchema, descriptorSet);
}

/** The configurations that Envoy was asked with. */
export const variants: Readonly<Record<string, Options>> = {
  plain: {},
  lines: { convertGrpcStatus: true, autoMapping: true, printOptions: { streamNewlineDelimited: true } },
  strict: {
    printOptions: { streamSseStyleDelimited: true },
    requestValidationOptions: {
      rejectUnknownMethod: true,
      rejectUnknownQueryParameters: true,
      rejectBindingBodyFieldCollisions: true,
    },
    caseInsensitiveEnumParsing: true,
  },
  lenient: {
    urlUnescapeSpec: Unescape.ALL_CHARACTERS,
    queryParamUnescapePlus: true,
    matchUnregisteredCustomVerb: true,
    ignoreUnknownQueryParameters: true,
    maxRequestBodySize: 100,
    maxResponseBodySize: 100,
    matchIncomingRequestRoute: true,
  },
  capturing: {
    urlUnescapeSpec: Unescape.ALL_CHARACTERS_EXCEPT_SLASH,
    captureUnknownQueryParameters: true,
    ignoredQueryParameters: ['key'],
    convertGrpcStatus: true,
    printOptions: { streamSseStyleDelimited: true, streamNewlineDelimited: true },
  },
};

/** Decoded and cloned, as on the way to a worker. */
export function decode(options: Options): TranscoderData {
  const reasons = new Reasons();
  const data = decodeTranscoder(create(GrpcJsonTranscoderSchema, options), reasons);
  if (!reasons.isEmpty) throw new Error(JSON.stringify(reasons.list));
  return structuredClone(data);
}

export function reasonsOf(options: Options): string[] {
  const reasons = new Reasons();
  decodeTranscoder(create(GrpcJsonTranscoderSchema, options), reasons);
  return reasons.list.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
}

export function library(options: Options): Options {
  return {
    descriptorSet: { case: 'protoDescriptorBin', value: descriptorSet },
    services: ['test.library.Library'],
    ...options,
  };
}

export const filterName = 'envoy.filters.http.grpc_json_transcoder';

export function transcoder(options: Options = {}, context: TestContext = filterContext(filterName)): HttpFilter {
  return grpcJsonTranscoderBuilder.build(decode(library(options)), context).create();
}

type Pairs = readonly (readonly [string, string])[];

/** A request that the filter sees the head of when it is sent. */
export function exchange(filter: HttpFilter, method: string, path: string, headers: Pairs = []): Exchange {
  return new Exchange(filter, new RequestHead(method, 'h.test', path, 11, Headers.of(...headers)), filterContext());
}

export function grpcHead(headers: Pairs = []): ResponseHead {
  return new ResponseHead(200, Headers.of(['content-type', 'application/grpc'], ...headers));
}
