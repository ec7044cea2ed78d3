import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import {
  decodeKeepAliveOptions,
  decodeSocketOptions,
  fastOpenOption,
} from '../../../../src/net/socket-options/decode.ts';
import { TcpKeepaliveSchema } from '../../../../src/proto/envoy/config/core/v3/address_pb.js';
import { SocketOptionSchema } from '../../../../src/proto/envoy/config/core/v3/socket_option_pb.js';

function decode(...list: JsonValue[]) {
  const reasons = new Reasons('listener');
  const options = decodeSocketOptions(
    list.map((json) => fromJson(SocketOptionSchema, json)),
    reasons,
  );
  expect(reasons.list).toEqual([]);
  return options;
}

it('numbers, bytes, moments and families', () => {
  const at = { level: '6', name: '18' };
  expect(
    decode(
      { ...at, int_value: '30000', description: 'user timeout' },
      { ...at, buf_value: 'AAE=', state: 'STATE_BOUND', ip_version: 'SOCKET_IP_VERSION_IPV4' },
      { ...at, int_value: '-1', state: 'STATE_LISTENING', ip_version: 'SOCKET_IP_VERSION_IPV6', type: { stream: {} } },
    ),
  ).toEqual([
    { level: 6, name: 18, value: 30_000, moment: 'before-bind', family: 0 },
    { level: 6, name: 18, value: new Uint8Array([0, 1]), moment: 'bound', family: 4 },
    { level: 6, name: 18, value: -1, moment: 'listening', family: 6 },
  ]);
});

it('those of datagrams are for nobody', () => {
  const option = { level: '17', name: '1', int_value: '1' };
  expect(decode({ ...option, type: { datagram: {} } })).toEqual([]);
  expect(decode({ ...option, type: { datagram: {}, stream: {} } })).toHaveLength(1);
});

it('keep-alive and fast open of listeners are options too', () => {
  const reasons = new Reasons('listener');
  const keepalive = (json: JsonValue) =>
    decodeKeepAliveOptions(fromJson(TcpKeepaliveSchema, json), reasons).map(({ level, name, value }) => [
      level,
      name,
      value,
    ]);
  expect(keepalive({})).toEqual([[1, 9, 1]]);
  expect(keepalive({ keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 })).toEqual([
    [1, 9, 1],
    [6, 6, 3],
    [6, 4, 30],
    [6, 5, 5],
  ]);
  expect(decodeKeepAliveOptions(undefined, reasons)).toEqual([]);
  expect(fastOpenOption(7)).toEqual([{ level: 6, name: 23, value: 7, moment: 'listening', family: 0 }]);
  expect(fastOpenOption(undefined)).toEqual([]);
});
