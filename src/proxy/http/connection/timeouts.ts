import { ResponseFlag } from '../../../core/failure.ts';
import type { HttpStream } from '../stream/stream.ts';

/** gRPC's status code. */
const deadlineExceeded = 4;

/**
 * The moments at which something happens to one stream; Infinity: never. They live under their connection's one entry
 * in the timer heap, so that setting one costs an assignment and a comparison.
 */
export class StreamTimeouts {
  private readonly stream: HttpStream;
  private idleMs: number;
  /** As configured; `idleMs` is less under pressure. */
  private idleWantedMs: number;
  private perTryIdleMs: number;
  private idleAt: number;
  private requestAt: number;
  private requestHeadersAt: number;
  private durationAt: number;
  private logFlushMs: number;
  private logFlushAt: number;
  /** Route timeout: counted from the end of the request. */
  private responseAt: number;
  private perTryAt: number;
  private perTryIdleAt: number;
  private retryAt: number;
  /** Of the try at hand, whatever it has answered already. */
  private tryDurationAt: number;
  /** An answer's head waits no longer for its trailers. */
  private heldHeadAt: number;

  constructor(stream: HttpStream) {
    this.stream = stream;
    this.idleMs = 0;
    this.idleWantedMs = 0;
    this.perTryIdleMs = 0;
    this.idleAt = Infinity;
    this.requestAt = Infinity;
    this.requestHeadersAt = Infinity;
    this.durationAt = Infinity;
    this.logFlushMs = 0;
    this.logFlushAt = Infinity;
    this.responseAt = Infinity;
    this.perTryAt = Infinity;
    this.perTryIdleAt = Infinity;
    this.retryAt = Infinity;
    this.tryDurationAt = Infinity;
    this.heldHeadAt = Infinity;
  }

  /** The earliest of them. */
  next(): number {
    const whole = Math.min(this.idleAt, this.requestAt, this.durationAt, this.responseAt);
    const tries = Math.min(this.perTryAt, this.perTryIdleAt, this.retryAt, this.tryDurationAt, this.heldHeadAt);
    return Math.min(whole, tries, this.requestHeadersAt, this.logFlushAt);
  }

  /** Milliseconds; 0: off. */
  setIdle(ms: number): void {
    const { overload } = this.stream.manager;
    this.idleWantedMs = ms;
    this.idleMs = overload === null ? ms : overload.streamIdleMs(ms);
    this.idleAt = ms === 0 ? Infinity : this.at(this.idleMs);
  }

  /** The overload manager wants it longer or shorter than before. */
  stretchIdle(): void {
    if (this.idleMs === 0) return;
    const ms = this.stream.manager.overload!.streamIdleMs(this.idleWantedMs);
    this.idleAt += ms - this.idleMs;
    this.idleMs = ms;
    this.stream.connection.wakeBy(this.idleAt);
  }

  setRequest(ms: number): void {
    this.requestAt = ms === 0 ? Infinity : this.at(ms);
  }

  setRequestHeaders(ms: number): void {
    this.requestHeadersAt = this.at(ms);
  }

  headReceived(): void {
    this.requestHeadersAt = Infinity;
  }

  /** Counted from the stream's beginning; -1: off. */
  setDuration(ms: number): void {
    this.durationAt = ms < 0 ? Infinity : this.stream.outcome.startMs + ms;
    if (ms >= 0) this.stream.connection.wakeBy(this.durationAt);
  }

  /** Long streams are logged again and again. */
  setLogFlush(ms: number): void {
    this.logFlushMs = ms;
    this.logFlushAt = this.at(ms);
  }

  setResponse(ms: number): void {
    this.responseAt = this.at(ms);
  }

  clearResponse(): void {
    this.responseAt = Infinity;
  }

  setPerTry(ms: number): void {
    this.perTryAt = this.at(ms);
  }

  setPerTryIdle(ms: number): void {
    this.perTryIdleMs = ms;
    this.perTryIdleAt = this.at(ms);
  }

  /** Its head has come: from now on it may be long, but not silent. */
  tryAnswered(): void {
    this.perTryAt = Infinity;
    if (this.perTryIdleMs !== 0) this.upstreamActivity();
  }

  clearPerTry(): void {
    this.perTryAt = Infinity;
    this.perTryIdleAt = Infinity;
    this.perTryIdleMs = 0;
  }

  setTryDuration(ms: number): void {
    this.tryDurationAt = this.at(ms);
  }

  clearTryDuration(): void {
    this.tryDurationAt = Infinity;
  }

  /** As soon as what has come with the head has been read. */
  setHeldHead(): void {
    this.heldHeadAt = this.at(0);
  }

  clearHeldHead(): void {
    this.heldHeadAt = Infinity;
  }

  /** The pause before the next try. */
  setRetry(ms: number): void {
    this.retryAt = this.at(ms);
  }

  clearRetry(): void {
    this.retryAt = Infinity;
  }

  requestEnded(): void {
    this.requestAt = Infinity;
  }

  /** Something moved on the downstream side. */
  activity(): void {
    // Later than before, so no wake-up has to be moved.
    if (this.idleMs !== 0) this.idleAt = this.stream.clock.now + this.idleMs;
  }

  upstreamActivity(): void {
    if (this.perTryIdleMs !== 0) this.perTryIdleAt = this.stream.clock.now + this.perTryIdleMs;
    this.activity();
  }

  clear(): void {
    this.logFlushAt = Infinity;
    this.requestHeadersAt = Infinity;
    this.idleMs = 0;
    this.idleAt = Infinity;
    this.requestAt = Infinity;
    this.durationAt = Infinity;
    this.responseAt = Infinity;
    this.retryAt = Infinity;
    this.tryDurationAt = Infinity;
    this.heldHeadAt = Infinity;
    this.clearPerTry();
  }

  /** Acts on what is due; the stream may have ended afterwards. */
  fire(now: number): void {
    if (this.logFlushAt <= now) {
      this.logFlushAt = now + this.logFlushMs;
      this.stream.log('DownstreamPeriodic');
    } else if (this.retryAt <= now) {
      this.retryAt = Infinity;
      this.stream.forwarding?.tries!.repeat();
    } else if (this.durationAt <= now) {
      this.durationAt = Infinity;
      this.maxDurationReached();
    } else if (this.responseAt <= now) {
      this.responseAt = Infinity;
      this.stream.forwarding?.onResponseTimeout();
    } else if (this.perTryAt <= now) {
      this.perTryAt = Infinity;
      this.stream.forwarding?.onPerTryTimeout();
    } else if (this.perTryIdleAt <= now) {
      this.perTryIdleAt = Infinity;
      this.stream.forwarding?.onPerTryIdleTimeout();
    } else if (this.heldHeadAt <= now) {
      this.heldHeadAt = Infinity;
      this.stream.forwarding?.releaseHead();
    } else if (this.tryDurationAt <= now) {
      this.tryDurationAt = Infinity;
      this.stream.forwarding?.onTryDurationReached();
    } else if (this.requestHeadersAt <= now) {
      this.requestHeadersAt = Infinity;
      this.headersTimedOut();
    } else if (this.requestAt <= now) {
      this.requestAt = Infinity;
      this.requestTimedOut();
    } else if (this.idleAt <= now) {
      this.idleAt = Infinity;
      this.idleTimedOut();
    }
  }

  private at(ms: number): number {
    const at = this.stream.clock.now + ms;
    this.stream.connection.wakeBy(at);
    return at;
  }

  private idleTimedOut(): void {
    const stream = this.stream;
    stream.stats.count('downstream_rq_idle_timeout');
    // Envoy: 408 while the request is incomplete, 504 when the silence is the upstream's.
    const status = stream.request.hasEnded ? 504 : 408;
    stream.reply({
      status,
      body: 'stream timeout',
      details: 'stream_idle_timeout',
      flags: ResponseFlag.StreamIdleTimeout,
    });
  }

  private headersTimedOut(): void {
    const stream = this.stream;
    stream.stats.count('downstream_rq_header_timeout');
    stream.replyWithoutHead({ status: 408, body: 'request header timeout', details: 'request_header_timeout' });
  }

  private requestTimedOut(): void {
    const stream = this.stream;
    stream.stats.count('downstream_rq_timeout');
    stream.reply({ status: 408, body: 'request timeout', details: 'request_overall_timeout' });
  }

  private maxDurationReached(): void {
    const stream = this.stream;
    stream.stats.count('downstream_rq_max_duration_reached');
    const status = stream.request.hasEnded ? 504 : 408;
    stream.reply({
      status,
      body: 'downstream duration timeout',
      details: 'max_duration_timeout',
      grpcStatus: deadlineExceeded,
    });
  }
}
