import { HttpVersion, RequestHead, type ResponseHead } from '../../../core/head.ts';
import { Headers } from '../../../core/headers.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { StreamUser } from '../../../core/message-sink.ts';
import type { Counter } from '../../../observe/stats/stats.ts';
import type { HttpProbeData, StatusRange } from '../health-check-data.ts';
import { holdsAll } from '../payload.ts';
import { HttpExchange } from './http-exchange.ts';
import type { Probe, ProbePlace, ProbeUser, ProbeWords } from './probe.ts';

/** Asks for a path and looks at the answer. Source: Envoy `http/health_checker_impl.cc`. */
export class HttpProbe implements Probe, StreamUser<ResponseHead> {
  private readonly check: HttpProbeData;
  private readonly place: ProbePlace;
  private readonly user: ProbeUser;
  private readonly changeHead: ((head: RequestHead) => void) | null;
  private readonly isService: ((name: string) => boolean) | null;
  private readonly verified: Counter;
  private exchange: HttpExchange | null;
  private isAsking: boolean;
  private answer: ResponseHead | null;
  private body: Uint8Array[];
  private bodyLength: number;

  /** `verified`: `health_check.verify_cluster`. */
  constructor(check: HttpProbeData, place: ProbePlace, user: ProbeUser, words: ProbeWords, verified: Counter) {
    this.check = check;
    this.place = place;
    this.user = user;
    this.changeHead = words.headers(check.headers);
    this.isService = check.serviceName === null ? null : words.string(check.serviceName);
    this.verified = verified;
    this.exchange = null;
    this.isAsking = false;
    this.answer = null;
    this.body = [];
    this.bodyLength = 0;
  }

  begin(): void {
    if (this.exchange?.isUsable !== true) {
      this.exchange?.close();
      const version = this.check.version === 'http2' ? HttpVersion.Http2 : HttpVersion.Http11;
      this.exchange = new HttpExchange(this.place, version);
    }
    this.isAsking = true;
    this.answer = null;
    this.body = [];
    this.bodyLength = 0;
    this.exchange.ask(this.requestHead(), this.check.send, this);
  }

  abort(): void {
    this.close();
  }

  close(): void {
    this.isAsking = false;
    this.exchange?.close();
    this.exchange = null;
  }

  // StreamUser

  head(head: ResponseHead, end: boolean): void {
    if (!this.isAsking || head.status < 200) return;
    this.answer = head;
    if (end) this.complete();
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.keep(chunk);
    lentBytes.settle(chunk, chunk.length);
    if (end && this.isAsking) this.complete();
  }

  trailers(): void {
    if (this.isAsking) this.complete();
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

  private keep(chunk: Uint8Array): void {
    const { receive, responseBytesMax } = this.check;
    if (receive.length === 0) return;
    const room = responseBytesMax === 0 ? chunk.length : responseBytesMax - this.bodyLength;
    if (room <= 0) return;
    const piece = chunk.slice(0, room);
    this.body.push(piece);
    this.bodyLength += piece.length;
  }

  private requestHead(): RequestHead {
    const { check, place } = this;
    const headers = Headers.of(['user-agent', 'Envoy/HC']);
    const head = new RequestHead(check.method, place.authority(check.host), check.path, HttpVersion.Http11, headers);
    head.scheme = place.isSecure ? 'https' : 'http';
    this.changeHead?.(head);
    if (check.send !== null) headers.set('content-length', String(check.send.length));
    return head;
  }

  private complete(): void {
    this.isAsking = false;
    const { check, user, place } = this;
    const { status, headers } = this.answer!;
    const isExpected = isWithin(status, check.expected);
    const isAsSaid = check.receive.length === 0 || holdsAll(Buffer.concat(this.body), check.receive);
    const isDegraded = headers.has('x-envoy-degraded');
    if (!isAsSaid || !isExpected) {
      if (headers.has('x-envoy-immediate-health-check-fail')) user.onExcluded();
      user.onFailed('ACTIVE', isAsSaid && isWithin(status, check.retriable), status);
    } else if (this.isOfService(headers)) user.onPassed(isDegraded);
    else user.onFailed('ACTIVE', false, status);
    if (!place.reusesConnection) this.close();
  }

  private isOfService(headers: Headers): boolean {
    if (this.isService === null || !this.place.verifiesCluster()) return true;
    this.verified.inc();
    return this.isService(headers.get('x-envoy-upstream-healthchecked-cluster') ?? '');
  }
}

function isWithin(status: number, ranges: readonly StatusRange[]): boolean {
  return ranges.some(({ start, end }) => status >= start && status < end);
}
