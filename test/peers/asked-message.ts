import { fromBinary, toJson, type DescMessage } from '@bufbuild/protobuf';
import { CheckRequestSchema } from '../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import { RateLimitRequestSchema } from '../../src/proto/envoy/service/ratelimit/v3/rls_pb.js';

/** What servers are asked that decide about requests: the first line of the call, and the message. */
const messages: readonly (readonly [string, string, DescMessage])[] = [
  ['POST /envoy.service.auth.v3.Authorization/Check ', 'check', CheckRequestSchema],
  ['POST /envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit ', 'limit', RateLimitRequestSchema],
];

/** What no two proxies say alike, or a proxy twice. */
const unsteady = /(\.time|\.http\.id|portValue|x-request-id)$/;

/** Field by field what such a server was asked; null: the upstream saw something else. */
export function askedMessage(line: string, body: string): [string, string][] | null {
  const known = messages.find(([start]) => line.startsWith(start));
  if (known === undefined) return null;
  const [, name, schema] = known;
  const fields: [string, string][] = [];
  const put = (path: string, value: unknown): void => {
    if (unsteady.test(path)) fields.push([path, `<${typeof value}>`]);
    else if (typeof value !== 'object' || value === null) fields.push([path, JSON.stringify(value)]);
    else for (const [key, inner] of Object.entries(value)) put(`${path}.${key}`, inner);
  };
  put(name, toJson(schema, fromBinary(schema, Buffer.from(body, 'latin1').subarray(5))));
  return fields;
}
