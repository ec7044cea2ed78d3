import { WireType } from '../../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../../filter/wire/wire-writer.ts';
import { requestHeaderBytes, responseHeaderBytes } from '../../../observe/format/header-operator.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { writeNumber, writeText } from '../wire-text.ts';
import { writeCommon, writePair, type EntrySettings } from './common-entry.ts';

const { LengthDelimited } = WireType;

/** Names (lower-case) of fields that entries show besides. */
export interface HttpEntrySettings extends EntrySettings {
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly responseTrailers: readonly string[];
}

/** `envoy.config.core.v3.RequestMethod`. */
const methods: Readonly<Record<string, number>> = {
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  CONNECT: 6,
  OPTIONS: 7,
  TRACE: 8,
  PATCH: 9,
};

/** `HTTPAccessLogEntry.HTTPVersion`. */
const versions: Readonly<Record<string, number>> = { 'HTTP/1.0': 1, 'HTTP/1.1': 2, 'HTTP/2': 3 };

/** The fields of an `envoy.data.accesslog.v3.HTTPAccessLogEntry`. Source: Envoy `HttpGrpcAccessLog::emitLog`. */
export function writeHttpEntry(writer: WireWriter, outcome: Outcome, settings: HttpEntrySettings): void {
  writeCommon(writer, outcome, settings);
  writeNumber(writer, 2, versions[outcome.protocol] ?? 0);
  writeRequest(writer, outcome, settings.requestHeaders);
  writeResponse(writer, outcome, settings);
}

function writeRequest(writer: WireWriter, outcome: Outcome, shown: readonly string[]): void {
  const { requestHead: head } = outcome;
  writer.tag(3, LengthDelimited).begin();
  if (head !== null) {
    const { headers } = head;
    writeNumber(writer, 1, methods[head.method] ?? 0);
    writeText(writer, 2, head.scheme);
    writeText(writer, 3, head.authority);
    writeText(writer, 5, head.path);
    writeText(writer, 6, headers.get('user-agent') ?? '');
    writeText(writer, 7, headers.get('referer') ?? '');
    writeText(writer, 8, headers.get('x-forwarded-for') ?? '');
    writeText(writer, 9, headers.get('x-request-id') ?? '');
    writeText(writer, 10, headers.get('x-envoy-original-path') ?? '');
    writeNumber(writer, 11, requestHeaderBytes(outcome));
  }
  writeNumber(writer, 12, outcome.bytesReceived);
  if (head !== null) for (const name of shown) writePair(writer, 13, name, head.getAll(name).join(','));
  writeNumber(writer, 14, outcome.upstreamHeaderBytesSent);
  writeNumber(writer, 15, outcome.headerBytesReceived);
  writer.end();
}

function writeResponse(writer: WireWriter, outcome: Outcome, settings: HttpEntrySettings): void {
  const { responseHead: head, responseTrailers: trailers } = outcome;
  writer.tag(4, LengthDelimited).begin();
  if (outcome.responseCode !== 0) {
    writer.tag(1, LengthDelimited).begin();
    writeNumber(writer, 1, outcome.responseCode);
    writer.end();
  }
  if (head !== null) writeNumber(writer, 2, responseHeaderBytes(outcome));
  writeNumber(writer, 3, outcome.bytesSent);
  if (head !== null)
    for (const name of settings.responseHeaders) writePair(writer, 4, name, head.getAll(name).join(','));
  if (trailers !== null)
    for (const name of settings.responseTrailers) writePair(writer, 5, name, trailers.getAll(name).join(','));
  writeText(writer, 6, outcome.details);
  writeNumber(writer, 7, outcome.upstreamHeaderBytesReceived);
  writeNumber(writer, 8, outcome.headerBytesSent);
  writer.end();
}

/** The fields of an `envoy.data.accesslog.v3.TCPAccessLogEntry`. */
export function writeTcpEntry(writer: WireWriter, outcome: Outcome, settings: EntrySettings): void {
  writeCommon(writer, outcome, settings);
  writer.tag(2, LengthDelimited).begin();
  writeNumber(writer, 1, outcome.bytesReceived);
  writeNumber(writer, 2, outcome.bytesSent);
  writer.end();
}
