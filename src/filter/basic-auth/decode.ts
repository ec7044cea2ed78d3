import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  BasicAuthPerRouteSchema,
  BasicAuthSchema,
} from '../../proto/envoy/extensions/filters/http/basic_auth/v3/basic_auth_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { readDataSource } from '../../route/decode/direct-response-decode.ts';
import { lowerAscii } from '../../route/wire-text.ts';
import type { BasicAuthData, UsersData } from './basic-auth-data.ts';
import { parseUsers } from './users.ts';

const supported = new SupportedFields(BasicAuthSchema, [
  'users',
  'forward_username_header',
  'authentication_header',
  'allow_missing',
  'emit_dynamic_metadata',
]);
const perRouteFields = new SupportedFields(BasicAuthPerRouteSchema, ['users']);

export const basicAuthDecoder: ExtensionDecoder = {
  kind: BasicAuthSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): BasicAuthData {
    const message = fromBinary(BasicAuthSchema, bytes);
    supported.check(message, reasons);
    return {
      users: decodeUsers(message.users, reasons.at('users')),
      forwardUsernameHeader: lowerAscii(message.forwardUsernameHeader),
      authenticationHeader: lowerAscii(message.authenticationHeader) || 'authorization',
      allowsMissing: message.allowMissing,
      emitsMetadata: message.emitDynamicMetadata,
    };
  },
};

export const basicAuthPerRouteDecoder: ExtensionDecoder = {
  kind: BasicAuthPerRouteSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): UsersData {
    const message = fromBinary(BasicAuthPerRouteSchema, bytes);
    perRouteFields.check(message, reasons);
    return decodeUsers(message.users, reasons.at('users'));
  },
};

function decodeUsers(source: DataSource | undefined, reasons: Reasons): UsersData {
  const users = parseUsers(source === undefined ? '' : readDataSource(source, reasons));
  if (typeof users !== 'string') return users;
  reasons.add(users);
  return new Map();
}
