import { latin1 } from '../../core/bytes.ts';
import type { Failure } from '../../core/failure.ts';
import { ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { isLastMessage, isUpgrade } from './connection-options.ts';
import { Decoder, DecoderState, parseContentLength, type BodyState, type MessageListener } from './decoder.ts';
import {
  CodecError,
  InvalidTransferEncoding,
  LengthAndChunked,
  LengthNotAllowed,
  TransferEncodingNotAllowed,
} from './failures.ts';
import { FieldName } from './field-names.ts';
import { NoName, scanner } from './field-scanner.ts';
import { HeaderKeyFormat, type H1ClientOptions } from './options.ts';
import { StatusLine } from './status-line.ts';

/** Who hears of responses. */
export interface ResponseListener extends MessageListener {
  /** 1xx heads but 101 come before the final one. */
  onResponse(head: ResponseHead, end: boolean): void;
}

/** The thread's one status line: valid from its scan until the head is delivered. */
const line = new StatusLine();

/** Reads responses (Envoy's `ClientConnectionImpl`). */
export class ResponseDecoder extends Decoder {
  /** Of the request that is being answered: they decide what follows the head. */
  isAnswerToHead: boolean;
  isAnswerToConnect: boolean;
  isAnswerToUpgrade: boolean;
  /** Of the response last delivered: nothing may follow it on this connection. */
  isLast: boolean;
  private readonly client: H1ClientOptions;
  private readonly responses: ResponseListener;

  constructor(options: H1ClientOptions, listener: ResponseListener) {
    super(options, options.headerKeyFormat === HeaderKeyFormat.PreserveCase, false, listener);
    this.isAnswerToHead = false;
    this.isAnswerToConnect = false;
    this.isAnswerToUpgrade = false;
    this.isLast = false;
    this.client = options;
    this.responses = listener;
  }

  protected override scanStartLine(bytes: Uint8Array, from: number, to: number): number {
    return line.scan(bytes, from, to);
  }

  protected override deliverHead(bytes: Uint8Array, from: number, to: number): void {
    const text = latin1(bytes, from, to);
    const { status, version } = line;
    const headers = new Headers();
    if (this.keepsRawNames) headers.rawNames = [];
    scanner.copyTo(headers, text, from, NoName);
    const head = new ResponseHead(status, headers, version);
    this.isLast = isLastMessage(headers, version);
    const failure = this.judge(head, text, from);
    if (failure !== null) this.invalid(failure);
    else if (status < 200 && status !== 101) this.deliverInterim(head);
    else this.responses.onResponse(head, this.state === DecoderState.Complete);
  }

  private deliverInterim(head: ResponseHead): void {
    this.next();
    this.responses.onResponse(head, false);
  }

  /** RFC 9112 section 6.3, with Envoy's refusals. Null: the body has begun. */
  private judge(head: ResponseHead, text: string, base: number): Failure | null {
    const { status } = head;
    const isChunked = scanner.has(FieldName.TransferEncoding);
    const hasLength = scanner.has(FieldName.ContentLength);
    let length = -1;
    if (hasLength) {
      length = parseContentLength(scanner.value(FieldName.ContentLength, text, base));
      if (length < 0 || scanner.isRepeated(FieldName.ContentLength)) return CodecError.with('invalid content-length');
    }
    if (isChunked) {
      const failure = this.judgeTransferEncoding(
        head,
        scanner.value(FieldName.TransferEncoding, text, base),
        hasLength,
      );
      if (failure !== null) return failure;
    }
    if (status < 200 || status === 204) {
      if (isChunked) return TransferEncodingNotAllowed;
      if (length > 0) return LengthNotAllowed;
      if (hasLength) head.headers.remove('content-length');
    }
    let state: BodyState;
    if (status === 101 && !this.isAnswerToUpgrade) return CodecError.with('101 without an upgrade');
    // As Envoy: the fields decide, whatever the status.
    if (this.isAnswerToUpgrade && isUpgrade(head.headers)) state = DecoderState.Raw;
    else if (this.isAnswerToConnect && status >= 200 && status < 300) state = DecoderState.Raw;
    else if (this.isAnswerToHead || status < 200 || status === 204 || status === 304) state = DecoderState.Complete;
    else if (isChunked) state = DecoderState.ChunkSize;
    else if (length >= 0) state = length > 0 ? DecoderState.Fixed : DecoderState.Complete;
    else state = DecoderState.UntilClose;
    if (state === DecoderState.UntilClose || state === DecoderState.Raw) this.isLast = true;
    this.beginBody(state, Math.max(0, length));
    return null;
  }

  private judgeTransferEncoding(head: ResponseHead, coding: string, hasLength: boolean): Failure | null {
    const isUnderstood = coding === 'chunked' || coding.toLowerCase() === 'chunked';
    if (hasLength) {
      if (!isUnderstood || !this.client.allowChunkedLength) return LengthAndChunked;
      head.headers.remove('content-length');
    }
    if (!isUnderstood || scanner.isRepeated(FieldName.TransferEncoding)) return InvalidTransferEncoding;
    return null;
  }
}
