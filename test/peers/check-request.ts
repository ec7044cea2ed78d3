import { fromBinary, toJson } from '@bufbuild/protobuf';
import { CheckRequestSchema } from '../../src/proto/envoy/service/auth/v3/external_auth_pb.js';

/** What no two proxies say alike, or a proxy twice. */
const unsteady = /(\.time|\.http\.id|portValue|x-request-id)$/;

/** What an authorization server was asked by gRPC, field by field; null: the upstream saw something else. */
export function checkRequestFields(line: string, body: string): [string, string][] | null {
  if (!line.startsWith('POST /envoy.service.auth.v3.Authorization/Check ')) return null;
  const message = fromBinary(CheckRequestSchema, Buffer.from(body, 'latin1').subarray(5));
  const fields: [string, string][] = [];
  const put = (path: string, value: unknown): void => {
    if (unsteady.test(path)) fields.push([path, `<${typeof value}>`]);
    else if (typeof value !== 'object' || value === null) fields.push([path, JSON.stringify(value)]);
    else for (const [key, inner] of Object.entries(value)) put(`${path}.${key}`, inner);
  };
  put('check', toJson(CheckRequestSchema, message));
  return fields;
}
