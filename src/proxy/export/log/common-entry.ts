import { ResponseFlag } from '../../../core/failure.ts';
import { writeStruct } from '../../../filter/wire/struct-wire.ts';
import { WireType } from '../../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../../filter/wire/wire-writer.ts';
import { toBytes } from '../../../observe/format/byte-string.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { CustomTag } from '../../../observe/trace/custom-tag.ts';
import { writeFlag, writeNumber, writeText } from '../wire-text.ts';
import { addressIn, writeAddress } from './address-wire.ts';
import { writeFilterState } from './filter-state-wire.ts';
import { writeTls } from './tls-entry.ts';

const { LengthDelimited } = WireType;

/** What entries say besides. */
export interface EntrySettings {
  readonly filterState: readonly string[];
  readonly tags: readonly CustomTag[];
}

/** Field numbers of `envoy.data.accesslog.v3.ResponseFlags`. */
const flagNumbers: readonly (readonly [flag: number, number: number])[] = [
  [ResponseFlag.FailedLocalHealthCheck, 1],
  [ResponseFlag.NoHealthyUpstream, 2],
  [ResponseFlag.UpstreamRequestTimeout, 3],
  [ResponseFlag.LocalReset, 4],
  [ResponseFlag.UpstreamRemoteReset, 5],
  [ResponseFlag.UpstreamConnectionFailure, 6],
  [ResponseFlag.UpstreamConnectionTermination, 7],
  [ResponseFlag.UpstreamOverflow, 8],
  [ResponseFlag.NoRouteFound, 9],
  [ResponseFlag.DelayInjected, 10],
  [ResponseFlag.FaultInjected, 11],
  [ResponseFlag.RateLimited, 12],
  [ResponseFlag.RateLimitServiceError, 14],
  [ResponseFlag.DownstreamConnectionTermination, 15],
  [ResponseFlag.UpstreamRetryLimitExceeded, 16],
  [ResponseFlag.StreamIdleTimeout, 17],
  [ResponseFlag.InvalidEnvoyRequestHeaders, 18],
  [ResponseFlag.DownstreamProtocolError, 19],
  [ResponseFlag.UpstreamMaxStreamDurationReached, 20],
  [ResponseFlag.ResponseFromCacheFilter, 21],
  [ResponseFlag.NoFilterConfigFound, 22],
  [ResponseFlag.DurationTimeout, 23],
  [ResponseFlag.UpstreamProtocolError, 24],
  [ResponseFlag.NoClusterFound, 25],
  [ResponseFlag.OverloadManagerTerminated, 26],
  [ResponseFlag.DnsResolutionFailed, 27],
  [ResponseFlag.DownstreamRemoteReset, 28],
];

/** `envoy.data.accesslog.v3.AccessLogType`. */
const logTypes: Readonly<Record<string, number>> = {
  TcpUpstreamConnected: 1,
  TcpPeriodic: 2,
  TcpConnectionEnd: 3,
  DownstreamStart: 4,
  DownstreamPeriodic: 5,
  DownstreamEnd: 6,
  UpstreamPoolReady: 7,
  UpstreamPeriodic: 8,
  UpstreamEnd: 9,
  DownstreamTunnelSuccessfullyEstablished: 10,
  TcpConnectionStart: 14,
};

/** Field 1 of an entry: `AccessLogCommon`. Source: Envoy `Utility::extractCommonAccessLogProperties`. */
export function writeCommon(writer: WireWriter, outcome: Outcome, settings: EntrySettings): void {
  const { peer } = outcome;
  writer.tag(1, LengthDelimited).begin();
  if (peer !== null) {
    writeAddress(writer, 2, outcome.remoteAddress ?? peer.remote);
    writeAddress(writer, 3, peer.local);
    if (peer.tls !== null) writeTls(writer, 4, peer, peer.tls);
  }
  writeMoment(writer, 5, outcome.startEpochMs);
  writeTimes(writer, outcome);
  writeUpstream(writer, outcome);
  if (outcome.flags !== 0) writeFlags(writer, outcome.flags);
  writeMetadata(writer, outcome);
  writeText(writer, 18, outcome.upstreamTransportFailureReason);
  writeText(writer, 19, toBytes(outcome.routeName));
  if (peer !== null) writeAddress(writer, 20, peer.directRemote);
  writeFilterState(writer, 21, outcome, settings.filterState);
  for (const tag of settings.tags) writePair(writer, 22, tag.tag, tag.value(outcome));
  writeSince(writer, 23, outcome.startMs, outcome.endMs);
  writeNumber(writer, 24, outcome.attemptCount);
  writeText(writer, 25, outcome.connectionTerminationDetails);
  writeText(writer, 26, streamIdOf(outcome));
  writeFlag(writer, 27, !isEnd(outcome.accessLogType));
  writeText(writer, 28, outcome.downstreamTransportFailureReason);
  writeNumber(writer, 29, outcome.wireBytesSent);
  writeNumber(writer, 30, outcome.wireBytesReceived);
  writeNumber(writer, 31, outcome.upstreamWireBytesSent);
  writeNumber(writer, 32, outcome.upstreamWireBytesReceived);
  writeNumber(writer, 33, logTypes[outcome.accessLogType] ?? 0);
  writer.end();
}

/** An entry of a map from texts to texts, unless the value is empty. */
export function writePair(writer: WireWriter, number: number, key: string, value: string): void {
  if (value === '') return;
  writer.tag(number, LengthDelimited).begin();
  writeText(writer, 1, key);
  writeText(writer, 2, value);
  writer.end();
}

function writeTimes(writer: WireWriter, outcome: Outcome): void {
  const { startMs } = outcome;
  writeSince(writer, 6, startMs, outcome.requestEndMs);
  writeSince(writer, 7, startMs, outcome.upstreamRequestStartMs);
  writeSince(writer, 8, startMs, outcome.upstreamRequestEndMs);
  writeSince(writer, 9, startMs, outcome.upstreamResponseStartMs);
  writeSince(writer, 10, startMs, outcome.upstreamResponseEndMs);
  writeSince(writer, 11, startMs, outcome.responseStartMs);
  // As Envoy: what never began never ended.
  if (outcome.responseStartMs === outcome.responseStartMs) writeSince(writer, 12, startMs, outcome.endMs);
}

function writeUpstream(writer: WireWriter, outcome: Outcome): void {
  const remote = addressIn(outcome.upstreamHost);
  if (remote === null) return;
  writeAddress(writer, 13, remote);
  const { upstreamPeer } = outcome;
  if (upstreamPeer !== null) writeAddress(writer, 14, upstreamPeer.directLocal);
  writeText(writer, 15, toBytes(outcome.upstreamClusterRaw));
}

function writeFlags(writer: WireWriter, flags: number): void {
  writer.tag(16, LengthDelimited).begin();
  for (const [flag, number] of flagNumbers) writeFlag(writer, number, (flags & flag) !== 0);
  if ((flags & ResponseFlag.UnauthorizedExternalService) !== 0) {
    writer.tag(13, LengthDelimited).begin();
    writeNumber(writer, 1, 1);
    writer.end();
  }
  writer.end();
}

function writeMetadata(writer: WireWriter, { dynamicMetadata }: Outcome): void {
  if (dynamicMetadata === null || dynamicMetadata.size === 0) return;
  writer.tag(17, LengthDelimited).begin();
  for (const [namespace, struct] of dynamicMetadata) {
    writer.tag(1, LengthDelimited).begin();
    writer.tag(1, LengthDelimited).string(namespace);
    writer.tag(2, LengthDelimited).begin();
    writeStruct(writer, struct);
    writer.end().end();
  }
  writer.end();
}

/** A `google.protobuf.Timestamp`. */
function writeMoment(writer: WireWriter, number: number, epochMs: number): void {
  const seconds = Math.floor(epochMs / 1000);
  writeSeconds(writer, number, seconds, Math.round((epochMs - seconds * 1000) * 1000) * 1000);
}

/** A `google.protobuf.Duration`; nothing where it did not happen. */
function writeSince(writer: WireWriter, number: number, startMs: number, ms: number): void {
  if (ms !== ms) return;
  const nanos = Math.max(0, Math.round((ms - startMs) * 1e6));
  const seconds = Math.floor(nanos / 1e9);
  writeSeconds(writer, number, seconds, nanos - seconds * 1e9);
}

function writeSeconds(writer: WireWriter, number: number, seconds: number, nanos: number): void {
  writer.tag(number, LengthDelimited).begin();
  writeNumber(writer, 1, seconds);
  writeNumber(writer, 2, nanos);
  writer.end();
}

/** A request's id where there is one. */
function streamIdOf(outcome: Outcome): string {
  const id = outcome.requestHead?.headers.get('x-request-id');
  if (id !== undefined) return id;
  outcome.streamId ||= crypto.randomUUID();
  return outcome.streamId;
}

function isEnd(type: string): boolean {
  return type === 'DownstreamEnd' || type === 'TcpConnectionEnd';
}
