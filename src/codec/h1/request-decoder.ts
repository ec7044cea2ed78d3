import { latin1 } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { HttpVersion, RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import {
  ConnectionOption,
  isConnectionAllowed,
  isLastMessage,
  readConnectionOptions,
  removeUpgrade,
} from './connection-options.ts';
import { Decoder, DecoderState, parseContentLength, type BodyState, type MessageListener } from './decoder.ts';
import {
  BodyDisallowed,
  CodecError,
  ConnectionHeaderRejected,
  InvalidAuthority,
  InvalidScheme,
  InvalidTransferEncoding,
  InvalidUrl,
  LengthAndChunked,
  LowVersion,
  TooManyHeaders,
  UnexpectedUnderscore,
} from './failures.ts';
import { FieldName } from './field-names.ts';
import { scanner } from './field-scanner.ts';
import { HeaderKeyFormat, UnderscoreAction, type H1ServerOptions } from './options.ts';
import { RequestLine } from './request-line.ts';
import { hostByte, isHostAndPort, parseAbsolute } from './request-target.ts';

/** Who hears of requests. */
export interface RequestListener extends MessageListener {
  /** The request line has arrived before the rest of the head. */
  onRequestLine(method: string, version: HttpVersion): void;
  onRequest(head: RequestHead, end: boolean): void;
}

/** The thread's one request line: valid from its scan until the head is delivered. */
const line = new RequestLine();

/** Everything that only an unusual head has is judged out of line. */
const unusual =
  (1 << FieldName.ContentLength) |
  (1 << FieldName.TransferEncoding) |
  (1 << FieldName.Connection) |
  (1 << FieldName.ProxyConnection) |
  (1 << FieldName.Upgrade);

/** Reads requests, and answers Envoy's questions about them in Envoy's order (`ServerConnectionImpl`). */
export class RequestDecoder extends Decoder {
  /** Of the request last delivered: the peer asked to close after it, or is HTTP/1.0 and did not ask to keep. */
  isLast: boolean;
  /** Of the request last delivered: it asks for another protocol on this connection. */
  isUpgrade: boolean;
  private readonly server: H1ServerOptions;
  private readonly requests: RequestListener;

  constructor(options: H1ServerOptions, listener: RequestListener) {
    super(options, options.headerKeyFormat === HeaderKeyFormat.PreserveCase, true, listener);
    // Fields that are dropped for their underscores do not count, but are not without limit either.
    if (options.headersWithUnderscores === UnderscoreAction.Drop) this.headersCountMax *= 2;
    this.isLast = false;
    this.isUpgrade = false;
    this.server = options;
    this.requests = listener;
  }

  protected override scanStartLine(bytes: Uint8Array, from: number, to: number): number {
    return line.scan(bytes, from, to, this.server.allowCustomMethods);
  }

  protected override onStartLine(): void {
    this.requests.onRequestLine(line.method, line.version);
  }

  protected override deliverHead(bytes: Uint8Array, from: number, to: number): void {
    const text = latin1(bytes, from, to);
    const headers = new Headers();
    if (this.keepsRawNames) headers.rawNames = [];
    scanner.copyTo(headers, text, from, FieldName.Host);
    const authority = scanner.has(FieldName.Host) ? scanner.value(FieldName.Host, text, from) : '';
    const path = text.slice(line.targetStart - from, line.targetEnd - from);
    const head = new RequestHead(line.method, authority, path, line.version, headers);
    head.hasAuthority = scanner.has(FieldName.Host);
    const failure = this.judge(head, bytes, text, from);
    if (failure !== null) {
      this.invalid(failure);
      return;
    }
    this.requests.onRequest(head, this.state === DecoderState.Complete);
  }

  /** Null: the head is good, and the body has begun. */
  private judge(head: RequestHead, bytes: Uint8Array, text: string, base: number): Failure | null {
    this.isLast = false;
    this.isUpgrade = false;
    let failure: Failure | null = null;
    this.beginBody(DecoderState.Complete, 0);
    if (this.server.headersWithUnderscores !== UnderscoreAction.Allow) failure = this.judgeUnderscores(head.headers);
    if (!this.isPlain(text, base)) failure ??= this.judgeUnusual(head, text, base);
    const c = head.path.charCodeAt(0);
    if (head.method === 'CONNECT' || !(c === 47 || (c === 42 && head.method === 'OPTIONS')))
      failure ??= this.readTarget(head);
    if (failure !== null) return failure;
    if (line.version !== HttpVersion.Http11 && !this.server.acceptHttp10) return LowVersion;
    if (scanner.has(FieldName.Host)) {
      // RFC 9112 section 3.2: more than one Host must be refused.
      if (scanner.isRepeated(FieldName.Host)) return InvalidAuthority.with('several Host fields');
      if (!scanner.isValueOf(hostByte, FieldName.Host, bytes)) return InvalidAuthority;
    }
    return null;
  }

  /** No body, and a connection that stays: most requests. */
  private isPlain(text: string, base: number): boolean {
    if (line.version !== HttpVersion.Http11 || line.method === 'CONNECT') return false;
    const seen = scanner.seen & unusual;
    if (seen === 0) return true;
    if (seen !== 1 << FieldName.Connection || scanner.isRepeated(FieldName.Connection)) return false;
    return scanner.value(FieldName.Connection, text, base) === 'keep-alive';
  }

  /** Body, connection options, upgrades. */
  private judgeUnusual(head: RequestHead, text: string, base: number): Failure | null {
    const isConnect = head.method === 'CONNECT';
    this.isLast = isLastMessage(head.headers, line.version);
    if (
      scanner.has(FieldName.Upgrade) &&
      scanner.has(FieldName.Connection) &&
      (readConnectionOptions(head.headers) & ConnectionOption.Upgrade) !== 0
    )
      this.isUpgrade = !this.dropIgnoredUpgrade(head.headers);
    if (isConnect && scanner.has(FieldName.ContentLength)) {
      if (head.headers.get('content-length') !== '0') return BodyDisallowed;
      head.headers.remove('content-length');
    }
    const failure = this.judgeBody(head, text, base, isConnect);
    if (failure !== null) return failure;
    if (!this.isUpgrade && scanner.has(FieldName.Connection) && !isConnectionAllowed(head.headers))
      return ConnectionHeaderRejected;
    if (isConnect || this.isUpgrade) this.beginBody(DecoderState.Raw, 0);
    return null;
  }

  /** RFC 9112 section 6.3, with Envoy's refusals. */
  private judgeBody(head: RequestHead, text: string, base: number, isConnect: boolean): Failure | null {
    let state: BodyState = DecoderState.Complete;
    let length = 0;
    const hasLength = scanner.has(FieldName.ContentLength) && !isConnect;
    if (hasLength && scanner.isRepeated(FieldName.ContentLength)) return CodecError.with('several content-lengths');
    if (scanner.has(FieldName.TransferEncoding)) {
      const coding = scanner.value(FieldName.TransferEncoding, text, base);
      const isChunked = coding === 'chunked' || coding.toLowerCase() === 'chunked';
      if (hasLength) {
        if (!isChunked || !this.server.allowChunkedLength) return LengthAndChunked;
        head.headers.remove('content-length');
      }
      if (!isChunked || scanner.isRepeated(FieldName.TransferEncoding) || isConnect) return InvalidTransferEncoding;
      // RFC 9112 section 6.1: in an HTTP/1.0 message the framing may be faulty, so nothing may follow.
      if (line.version !== HttpVersion.Http11) this.isLast = true;
      state = DecoderState.ChunkSize;
    } else if (hasLength) {
      length = parseContentLength(scanner.value(FieldName.ContentLength, text, base));
      if (length < 0) return CodecError.with('invalid content-length');
      if (length > 0) state = DecoderState.Fixed;
    }
    this.beginBody(state, length);
    return null;
  }

  /** Absolute-form replaces Host (RFC 9112 section 3.2.2), authority-form is a CONNECT's whole target. */
  private readTarget(head: RequestHead): Failure | null {
    if (head.method === 'CONNECT') {
      if (!isHostAndPort(head.path, true)) return InvalidUrl;
      head.authority = head.path;
      head.hasAuthority = true;
      head.path = '';
      return null;
    }
    if (!this.server.allowAbsoluteUrl) return null;
    const target = parseAbsolute(head.path);
    if (target === null) return InvalidUrl;
    head.authority = target.authority;
    head.hasAuthority = true;
    head.path = target.path;
    head.scheme = target.scheme;
    return target.scheme === 'http' || target.scheme === 'https' ? null : InvalidScheme;
  }

  /** h2c is never spoken here, and a configuration may name more: the request goes on without. True: none is left. */
  private dropIgnoredUpgrade(headers: Headers): boolean {
    const asked = headers.get('upgrade')!;
    const { ignoredUpgrades } = this.server;
    if (asked.toLowerCase() !== 'h2c') {
      if (ignoredUpgrades.length === 0) return false;
      const protocols = asked.split(',');
      const kept = protocols.filter((protocol) => !ignoredUpgrades.some((matcher) => matcher.matches(protocol.trim())));
      if (kept.length > 0) {
        if (kept.length < protocols.length) headers.set('upgrade', kept.join(',').trim());
        return false;
      }
    }
    removeUpgrade(headers);
    return true;
  }

  private judgeUnderscores(headers: Headers): Failure | null {
    const { headersWithUnderscores, counters } = this.server;
    for (let i = headers.length - 1; i >= 0; i--) {
      if (!headers.names[i].includes('_')) continue;
      if (headersWithUnderscores === UnderscoreAction.Reject) {
        counters?.rejectedRequestWithUnderscores();
        return UnexpectedUnderscore;
      }
      headers.removeAt(i);
      counters?.droppedHeaderWithUnderscores();
    }
    const count = headers.length + (scanner.has(FieldName.Host) ? 1 : 0);
    return count > this.server.headersCountMax ? TooManyHeaders : null;
  }
}
