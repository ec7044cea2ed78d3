import type * as NodeCrypto from 'node:crypto';
import type { Outcome } from '../outcome.ts';
import {
  addressOperator,
  endpointIdOperator,
  hostOperator,
  portOperator,
  withoutPort,
  type AddressReader,
} from './address-operator.ts';
import { attempted } from './attempts.ts';
import { toBytes } from './byte-string.ts';
import { CelOperator } from './cel-operator.ts';
import { coalesce } from './coalesce.ts';
import { verifySyntax, type Command } from './command-syntax.ts';
import type { FormatContext } from './format-context.ts';
import { grpcStatusOperator } from './grpc-status.ts';
import { headerOperator, requestHeaderBytes, responseHeaderBytes, responseTrailerBytes } from './header-operator.ts';
import { anyMetadata, filterStateOperator, metadataOperator, ofUpstream } from './metadata-operator.ts';
import { Literal, NameOperator, NumberOperator, TextOperator, Truncated, type Operator } from './operator.ts';
import { pathOperator, queryOperator, queryParameter } from './path-operator.ts';
import { longFlags, shortFlags } from './response-flag-names.ts';
import { requestedServerName } from './server-name.ts';
import { addTlsCommands } from './tls-commands.ts';
import { TimeFormat } from './time-format.ts';
import { between, commonDuration, currentDuration } from './timing.ts';

/** Every command operator by name. Source: Envoy 1.39's, with what it accepts and refuses. */
const COMMANDS: ReadonlyMap<string, Command> = makeCommands();

export const commandNames: readonly string[] = [...COMMANDS.keys()];

function makeCommands(): Map<string, Command> {
  const commands = new Map<string, Command>();
  addNumbers(commands);
  addTexts(commands);
  addAddresses(commands);
  addParametrized(commands);
  addTlsCommands(commands);
  return commands;
}

let crypto: typeof NodeCrypto | null = null;

/** Loads the module when an id is first asked for: it takes 10 ms, and few formats need it. */
function newId(): string {
  crypto ??= process.getBuiltinModule('node:crypto');
  return crypto.randomUUID();
}

function plain(commands: Map<string, Command>, name: string, make: (context: FormatContext) => Operator): void {
  commands.set(name, { parameter: 'none', takesLength: false, make: (_parameter, _length, context) => make(context) });
}

function number(commands: Map<string, Command>, name: string, read: (o: Outcome) => number): void {
  plain(commands, name, () => new NumberOperator(read));
}

function addNumbers(commands: Map<string, Command>): void {
  const counts: Readonly<Record<string, (o: Outcome) => number>> = {
    BYTES_RECEIVED: (o) => o.bytesReceived,
    BYTES_SENT: (o) => o.bytesSent,
    // QUIC's; there is none.
    BYTES_RETRANSMITTED: () => 0,
    PACKETS_RETRANSMITTED: () => 0,
    ROUNDTRIP_DURATION: () => NaN,
    DOWNSTREAM_WIRE_BYTES_RECEIVED: (o) => o.wireBytesReceived,
    DOWNSTREAM_WIRE_BYTES_SENT: (o) => o.wireBytesSent,
    DOWNSTREAM_HEADER_BYTES_RECEIVED: (o) => o.headerBytesReceived,
    DOWNSTREAM_HEADER_BYTES_SENT: (o) => o.headerBytesSent,
    DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: (o) => o.headerBytesReceived,
    DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: (o) => o.headerBytesSent,
    UPSTREAM_WIRE_BYTES_RECEIVED: (o) => o.upstreamWireBytesReceived,
    UPSTREAM_WIRE_BYTES_SENT: (o) => o.upstreamWireBytesSent,
    UPSTREAM_HEADER_BYTES_RECEIVED: (o) => o.upstreamHeaderBytesReceived,
    UPSTREAM_HEADER_BYTES_SENT: (o) => o.upstreamHeaderBytesSent,
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: (o) => o.upstreamHeaderBytesReceived,
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: (o) => o.upstreamHeaderBytesSent,
    REQUEST_HEADERS_BYTES: requestHeaderBytes,
    RESPONSE_HEADERS_BYTES: responseHeaderBytes,
    RESPONSE_TRAILERS_BYTES: responseTrailerBytes,
    RESPONSE_CODE: (o) => o.responseCode,
    CONNECTION_ID: (o) => o.connectionId,
    UPSTREAM_CONNECTION_ID: (o) => o.upstreamConnectionId,
    UPSTREAM_REQUEST_ATTEMPT_COUNT: (o) => o.attemptCount,
    UPSTREAM_CONNECTION_POOL_READY_DURATION: (o) => Math.floor(o.upstreamPoolReadyMs),
  };
  for (const [name, read] of Object.entries(counts)) number(commands, name, read);
  plain(commands, 'DURATION', ({ clock }) => currentDuration(clock));
  const start = (o: Outcome) => o.startMs;
  plain(commands, 'REQUEST_DURATION', () => between(start, (o) => o.requestEndMs));
  plain(commands, 'REQUEST_TX_DURATION', () => between(start, (o) => o.upstreamRequestEndMs));
  plain(commands, 'RESPONSE_DURATION', () => between(start, (o) => o.upstreamResponseStartMs));
  plain(commands, 'RESPONSE_TX_DURATION', () =>
    between(
      (o) => o.upstreamResponseStartMs,
      (o) => o.endMs,
    ),
  );
}

function addTexts(commands: Map<string, Command>): void {
  const texts: Readonly<Record<string, (o: Outcome) => string | null>> = {
    RESPONSE_FLAGS: (o) => shortFlags(o.flags, o.protocol !== ''),
    RESPONSE_FLAGS_LONG: (o) => longFlags(o.flags, o.protocol !== ''),
    ACCESS_LOG_TYPE: (o) => o.accessLogType,
    PROTOCOL: (o) => o.protocol || null,
    UPSTREAM_PROTOCOL: (o) => o.upstreamProtocol || null,
    CONNECTION_TERMINATION_DETAILS: (o) => o.connectionTerminationDetails || null,
    DOWNSTREAM_DETECTED_CLOSE_TYPE: (o) => o.downstreamCloseType,
    UPSTREAM_DETECTED_CLOSE_TYPE: (o) => (o.upstreamHost === '' ? null : o.upstreamCloseType),
    DOWNSTREAM_LOCAL_CLOSE_REASON: (o) => o.downstreamLocalCloseReason || null,
    UPSTREAM_LOCAL_CLOSE_REASON: (o) => o.upstreamLocalCloseReason || null,
    UPSTREAM_HOST: (o) => o.upstreamHost || null,
    // Set by filters that sekisho does not have.
    CUSTOM_FLAGS: () => '',
    TRACE_ID: (o) => (o.traceId === '' ? null : o.traceId),
    SPAN_ID: (o) => (o.spanId === '' ? null : o.spanId),
    UNIQUE_ID: newId,
    STREAM_ID: (o) => o.streamId || (o.streamId = newId()),
  };
  for (const [name, read] of Object.entries(texts)) plain(commands, name, () => new TextOperator(read));
  const names: Readonly<Record<string, (o: Outcome) => string>> = {
    UPSTREAM_CLUSTER: (o) => o.upstreamCluster,
    UPSTREAM_CLUSTER_RAW: (o) => o.upstreamClusterRaw,
    UPSTREAM_HOST_NAME: (o) => o.upstreamHostName || o.upstreamHost,
    UPSTREAM_HOST_NAME_WITHOUT_PORT: (o) => withoutPort(o.upstreamHostName || o.upstreamHost),
    ROUTE_NAME: (o) => o.routeName,
    FILTER_CHAIN_NAME: (o) => o.filterChainName,
    VIRTUAL_CLUSTER_NAME: (o) => o.virtualClusterName,
  };
  for (const [name, read] of Object.entries(names)) plain(commands, name, () => new NameOperator(read));
  plain(commands, 'LOCAL_REPLY_BODY', () => new TextOperator((o) => toBytes(o.localReplyBody)));
  plain(commands, 'HOSTNAME', ({ hostname }) => new Literal(toBytes(hostname)));
  for (const which of ['HOSTS', 'HOST_NAMES'] as const) {
    plain(commands, `UPSTREAM_${which}_ATTEMPTED`, () => attempted(which, false));
    plain(commands, `UPSTREAM_${which}_ATTEMPTED_WITHOUT_PORT`, () => attempted(which, true));
  }
  plain(commands, 'UPSTREAM_CONNECTION_IDS_ATTEMPTED', () => attempted('CONNECTION_IDS', false));
}

function addAddresses(commands: Map<string, Command>): void {
  const ends: Readonly<Record<string, AddressReader>> = {
    DOWNSTREAM_LOCAL: (o) => o.peer?.local ?? null,
    DOWNSTREAM_REMOTE: (o) => o.remoteAddress ?? o.peer?.remote ?? null,
    DOWNSTREAM_DIRECT_LOCAL: (o) => o.peer?.directLocal ?? null,
    DOWNSTREAM_DIRECT_REMOTE: (o) => o.peer?.directRemote ?? null,
    UPSTREAM_LOCAL: (o) => o.upstreamPeer?.local ?? null,
    UPSTREAM_REMOTE: (o) => o.upstreamPeer?.remote ?? null,
  };
  for (const [end, read] of Object.entries(ends)) {
    plain(commands, `${end}_ADDRESS`, () => addressOperator(read));
    plain(commands, `${end}_PORT`, () => portOperator(read));
    commands.set(`${end}_ADDRESS_WITHOUT_PORT`, {
      parameter: 'optional',
      takesLength: false,
      make: (parameter) => hostOperator(read, parameter),
    });
  }
  for (const end of ['DOWNSTREAM_LOCAL', 'DOWNSTREAM_DIRECT_LOCAL', 'UPSTREAM_REMOTE'] as const)
    plain(commands, `${end}_ADDRESS_ENDPOINT_ID`, () => endpointIdOperator(ends[end]));
}

function addParametrized(commands: Map<string, Command>): void {
  const add = (names: string, parameter: Command['parameter'], takesLength: boolean, make: Command['make']) => {
    for (const name of names.split(' ')) commands.set(name, { parameter, takesLength, make });
  };
  const cut = (operator: Operator, length: number | null) =>
    length === null ? operator : new Truncated(operator, length);
  add('REQ REQUEST_HEADER STREAM_INFO_REQ', 'required', true, (p, n) => cut(headerOperator('request', p), n));
  add('RESP RESPONSE_HEADER', 'required', true, (p, n) => cut(headerOperator('response', p), n));
  add('TRAILER RESPONSE_TRAILER', 'required', true, (p, n) => cut(headerOperator('trailer', p), n));
  add('PATH', 'optional', true, (p, n) => cut(pathOperator(p), n));
  add('QUERY_PARAM', 'required', true, (p, n) => cut(queryParameter(p), n));
  add('QUERY_PARAMS', 'optional', true, (p, n) => cut(queryOperator(p), n));
  add('GRPC_STATUS', 'optional', false, grpcStatusOperator);
  add('GRPC_STATUS_NUMBER', 'none', false, () => grpcStatusOperator('NUMBER'));
  add('COMMON_DURATION', 'required', false, commonDuration);
  add('RESPONSE_CODE_DETAILS', 'optional', false, (parameter) =>
    parameter === 'ALLOW_WHITESPACES'
      ? new TextOperator((o) => o.details || null)
      : new TextOperator((o) => (o.details.includes(' ') ? o.details.replaceAll(' ', '_') : o.details || null)),
  );
  add('REQUESTED_SERVER_NAME', 'optional', false, requestedServerName);
  add('START_TIME', 'optional', false, (pattern) => startTime(pattern, false));
  add('START_TIME_LOCAL', 'optional', false, (pattern) => startTime(pattern, true));
  add('EMIT_TIME', 'optional', false, (pattern, _, context) => emitTime(pattern, false, context));
  add('EMIT_TIME_LOCAL', 'optional', false, (pattern, _, context) => emitTime(pattern, true, context));
  add('DYNAMIC_METADATA', 'required', true, (p, n) => cut(metadataOperator('DYNAMIC', p), n));
  add('CLUSTER_METADATA', 'required', false, (parameter) => metadataOperator('CLUSTER', parameter));
  add('UPSTREAM_METADATA', 'required', false, (parameter) => metadataOperator('UPSTREAM_HOST', parameter));
  add('METADATA', 'optional', true, (p, n) => cut(anyMetadata(p), n));
  add('FILTER_STATE', 'optional', true, (p, n) => filterStateOperator(p, n));
  add('UPSTREAM_FILTER_STATE', 'optional', true, (p, n) => filterStateOperator(p, n, ofUpstream));
  add('ENVIRONMENT', 'required', true, (name, length, { environment }) => {
    const value = environment[name];
    return new Literal(value === undefined ? '-' : toBytes(value).slice(0, length ?? undefined));
  });
  add('CEL', 'required', true, (p, n) => cut(new CelOperator(p, false), n));
  add('TYPED_CEL', 'required', true, (p, n) => cut(new CelOperator(p, true), n));
  add('COALESCE', 'required', true, (parameter, length, context) =>
    coalesce(parameter, length, (name, inner, n) => makeOperator(name, inner, n, context)),
  );
}

/** The operator of one command; null: there is no such command. */
export function makeOperator(
  name: string,
  parameter: string,
  length: number | null,
  context: FormatContext,
): Operator | null {
  const command = COMMANDS.get(name);
  if (command === undefined) return null;
  verifySyntax(name, command, parameter, length);
  return command.make(parameter, length, context);
}

function startTime(pattern: string, isLocal: boolean): Operator {
  const time = new TimeFormat(pattern, isLocal);
  return new TextOperator((outcome) => time.format(outcome.startEpochMs));
}

function emitTime(pattern: string, isLocal: boolean, { clock }: FormatContext): Operator {
  const time = new TimeFormat(pattern, isLocal);
  return new TextOperator(() => time.format(clock === null ? Date.now() : clock.epochMs));
}
