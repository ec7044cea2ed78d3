import { LocalReset } from '../../../core/failures.ts';
import { isGrpcType } from '../../../core/grpc-request.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../../core/head.ts';
import { Headers } from '../../../core/headers.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { StreamUser } from '../../../core/message-sink.ts';
import { grpcTimeoutText } from '../../grpc/grpc-timeout.ts';
import { frameMessage } from '../../grpc/message-frame.ts';
import { MessageFault, MessageReader, type MessageListener } from '../../grpc/message-reader.ts';
import type { GrpcProbeData } from '../health-check-data.ts';
import { decodeIsServing, encodeHealthRequest } from './grpc-messages.ts';
import { HttpExchange } from './http-exchange.ts';
import type { Probe, ProbePlace, ProbeUser, ProbeWords } from './probe.ts';

const path = '/grpc.health.v1.Health/Check';

/** Bytes of an answer's message: it has one number. */
const messageBytesMax = 64 * 1024;

/** Calls `grpc.health.v1.Health.Check`. Source: Envoy `grpc/health_checker_impl.cc`. */
export class GrpcProbe implements Probe, StreamUser<ResponseHead>, MessageListener {
  private readonly check: GrpcProbeData;
  private readonly timeoutMs: number;
  private readonly place: ProbePlace;
  private readonly user: ProbeUser;
  private readonly changeHead: ((head: RequestHead) => void) | null;
  private readonly request: Uint8Array;
  private exchange: HttpExchange | null;
  private reader: MessageReader;
  private isAsking: boolean;
  /** What the answer says; null: nothing yet. */
  private isServing: boolean | null;
  private isMalformed: boolean;

  /** `timeoutMs`: the server is told. */
  constructor(check: GrpcProbeData, timeoutMs: number, place: ProbePlace, user: ProbeUser, words: ProbeWords) {
    this.check = check;
    this.timeoutMs = timeoutMs;
    this.place = place;
    this.user = user;
    this.changeHead = words.headers(check.headers);
    this.request = frameMessage(encodeHealthRequest(check.service));
    this.exchange = null;
    this.reader = new MessageReader(messageBytesMax, this);
    this.isAsking = false;
    this.isServing = null;
    this.isMalformed = false;
  }

  begin(): void {
    if (this.exchange?.isUsable !== true) {
      this.exchange?.close();
      this.exchange = new HttpExchange(this.place, HttpVersion.Http2);
    }
    this.reader = new MessageReader(messageBytesMax, this);
    this.isAsking = true;
    this.isServing = null;
    this.isMalformed = false;
    this.exchange.ask(this.requestHead(), Uint8Array.from(this.request), this);
  }

  abort(): void {
    this.isAsking = false;
    if (this.place.reusesConnection) this.exchange?.reset(LocalReset);
    else this.close();
  }

  close(): void {
    this.isAsking = false;
    this.exchange?.close();
    this.exchange = null;
  }

  // StreamUser

  head(head: ResponseHead, end: boolean): void {
    if (!this.isAsking || head.status < 200) return;
    const { headers } = head;
    if (end) this.complete(headers.get('grpc-status') === '0');
    else if (head.status !== 200 || !isGrpcType(headers.get('content-type'))) this.refuse();
  }

  data(chunk: Uint8Array, end: boolean): void {
    const fault = this.isAsking ? this.reader.read(chunk) : MessageFault.None;
    lentBytes.settle(chunk, chunk.length);
    if (!this.isAsking) return;
    if (end) this.complete(false);
    else if (fault !== MessageFault.None || this.isMalformed) this.refuse();
  }

  trailers(trailers: Headers): void {
    if (this.isAsking) this.complete(trailers.get('grpc-status') === '0');
  }

  reset(): void {
    if (!this.isAsking) return;
    this.isAsking = false;
    if (!this.place.reusesConnection) this.close();
    this.user.onFailed('NETWORK', false, 0);
  }

  onAboveHighWatermark(): void {
    // What is sent is as small as the configuration has it.
  }

  onBelowLowWatermark(): void {
    // Likewise.
  }

  // MessageListener

  onFramedMessage(message: Uint8Array): void {
    // A second one is no answer to a call with one.
    if (this.isServing !== null) this.isMalformed = true;
    this.isServing = decodeIsServing(message);
    if (this.isServing === null) this.isMalformed = true;
  }

  private requestHead(): RequestHead {
    const { check, place } = this;
    const headers = Headers.of(['te', 'trailers'], ['content-type', 'application/grpc'], ['user-agent', 'Envoy/HC']);
    const head = new RequestHead('POST', place.authority(check.authority), path, HttpVersion.Http2, headers);
    head.scheme = place.isSecure ? 'https' : 'http';
    this.changeHead?.(head);
    headers.set('grpc-timeout', grpcTimeoutText(this.timeoutMs));
    return head;
  }

  /** The answer goes on, but will not be any better. */
  private refuse(): void {
    this.isAsking = false;
    this.exchange?.reset(LocalReset);
    this.conclude(false);
  }

  private complete(isOk: boolean): void {
    this.isAsking = false;
    this.conclude(isOk && this.isServing === true);
  }

  private conclude(hasPassed: boolean): void {
    if (hasPassed) this.user.onPassed(false);
    else this.user.onFailed('ACTIVE', false, 0);
    if (!this.place.reusesConnection) this.close();
  }
}
