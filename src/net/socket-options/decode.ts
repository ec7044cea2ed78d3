import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { TcpKeepaliveSchema, type TcpKeepalive } from '../../proto/envoy/config/core/v3/address_pb.js';
import {
  SocketOption_SocketIpVersion,
  SocketOption_SocketState,
  SocketOption_SocketTypeSchema,
  SocketOptionSchema,
  type SocketOption,
} from '../../proto/envoy/config/core/v3/socket_option_pb.js';
import type { SocketMoment, SocketOptionData } from './socket-option-data.ts';

const supported = new SupportedFields(
  SocketOptionSchema,
  ['level', 'name', 'int_value', 'buf_value', 'state', 'type', 'ip_version'],
  ['description'],
);
const supportedType = new SupportedFields(SocketOption_SocketTypeSchema, ['stream', 'datagram']);
const supportedKeepalive = new SupportedFields(TcpKeepaliveSchema, [
  'keepalive_probes',
  'keepalive_time',
  'keepalive_interval',
]);

const moments: Readonly<Record<SocketOption_SocketState, SocketMoment>> = {
  [SocketOption_SocketState.STATE_PREBIND]: 'before-bind',
  [SocketOption_SocketState.STATE_BOUND]: 'bound',
  [SocketOption_SocketState.STATE_LISTENING]: 'listening',
};
const families: Readonly<Record<SocketOption_SocketIpVersion, SocketOptionData['family']>> = {
  [SocketOption_SocketIpVersion.UNSPECIFIED]: 0,
  [SocketOption_SocketIpVersion.IPV4]: 4,
  [SocketOption_SocketIpVersion.IPV6]: 6,
};

/** C's `int`: what setsockopt takes of a wider number is its lower half. */
const toInt = (value: bigint): number => Number(BigInt.asIntN(32, value));

/**
 * Those of datagram sockets alone are left out: there are none.
 * @param reasons where the message stands that has them as its `socket_options`
 */
export function decodeSocketOptions(list: readonly SocketOption[], reasons: Reasons): SocketOptionData[] {
  return list.flatMap((option, i) => {
    const at = reasons.at('socket_options', i);
    supported.check(option, at);
    const { type, value } = option;
    if (type !== undefined) supportedType.check(type, at.at('type'));
    if (type?.datagram !== undefined && type.stream === undefined) return [];
    return [
      {
        level: toInt(option.level),
        name: toInt(option.name),
        value: value.case === 'bufValue' ? value.value : toInt(value.case === 'intValue' ? value.value : 0n),
        moment: moments[option.state],
        family: families[option.ipVersion],
      },
    ];
  });
}

const socketLevel = 1;
const tcpLevel = 6;
const keepAlive = 9;
const keepIdle = 4;
const keepInterval = 5;
const keepCount = 6;
const fastOpen = 23;

const option = (
  level: number,
  name: number,
  value: number,
  moment: SocketMoment = 'before-bind',
): SocketOptionData => ({ level, name, value, moment, family: 0 });

/** `tcp_keepalive` of a listener, for the connections that it accepts; they inherit what its socket has. */
export function decodeKeepAliveOptions(keepalive: TcpKeepalive | undefined, reasons: Reasons): SocketOptionData[] {
  if (keepalive === undefined) return [];
  supportedKeepalive.check(keepalive, reasons);
  const { keepaliveProbes, keepaliveTime, keepaliveInterval } = keepalive;
  return [
    option(socketLevel, keepAlive, 1),
    ...(keepaliveProbes === undefined ? [] : [option(tcpLevel, keepCount, keepaliveProbes)]),
    ...(keepaliveTime === undefined ? [] : [option(tcpLevel, keepIdle, keepaliveTime)]),
    ...(keepaliveInterval === undefined ? [] : [option(tcpLevel, keepInterval, keepaliveInterval)]),
  ];
}

/** `tcp_fast_open_queue_length`. */
export function fastOpenOption(queueLength: number | undefined): SocketOptionData[] {
  return queueLength === undefined ? [] : [option(tcpLevel, fastOpen, queueLength, 'listening')];
}
