import {
  happens,
  type LoadShedPoint,
  type OverloadState,
  type OverloadView,
  type TimerScale,
} from '../../../core/overload-view.ts';
import type { CodecHost, ServerCodec, StreamAcceptor } from '../../../codec/codec.ts';
import type { H1ServerOptions } from '../../../codec/h1/options.ts';
import type { H2ServerOptions } from '../../../codec/h2/options.ts';
import type { LocalReply } from '../../../filter/filter.ts';
import { HttpFilterChain } from '../stream/filter-chain.ts';
import { SheddingH1Codec, SheddingH2Codec, type DispatchPoints } from './shedding-codecs.ts';

/** What a connection manager asks the overload manager. Made only where one is configured and not bypassed. */
export class HttpOverload {
  /** Of requests that are turned away: their answers are not worth the filters. */
  readonly noFilters: HttpFilterChain;
  private readonly decodesHeads: LoadShedPoint | null;
  private readonly stopsRequests: OverloadState | null;
  private readonly stopsKeepAlive: OverloadState | null;
  private readonly createsCodec: LoadShedPoint | null;
  private readonly checksFilter: LoadShedPoint | null;
  private readonly dispatch: DispatchPoints;
  private readonly flush: TimerScale | null;
  private readonly connectionIdle: ScaledTimeout;
  private readonly connectionMax: ScaledTimeout;
  private readonly streamIdle: ScaledTimeout;
  private readonly random: () => number;

  constructor(view: OverloadView, random: () => number) {
    this.noFilters = new HttpFilterChain([]);
    this.decodesHeads = view.shedPoint('http_connection_manager_decode_headers');
    this.stopsRequests = view.action('stop_accepting_requests');
    this.stopsKeepAlive = view.action('disable_http_keepalive');
    this.createsCodec = view.shedPoint('hcm_ondata_creating_codec');
    this.checksFilter = view.shedPoint('http_downstream_filter_check');
    this.dispatch = {
      abortsHttp1: view.shedPoint('http1_server_abort_dispatch'),
      goesAway: view.shedPoint('http2_server_go_away_on_dispatch'),
      goesAwayAndCloses: view.shedPoint('http2_server_go_away_and_close_on_dispatch'),
    };
    this.flush = view.timer('HTTP_DOWNSTREAM_STREAM_FLUSH');
    this.connectionIdle = new ScaledTimeout(view.timer('HTTP_DOWNSTREAM_CONNECTION_IDLE'));
    this.connectionMax = new ScaledTimeout(view.timer('HTTP_DOWNSTREAM_CONNECTION_MAX'));
    this.streamIdle = new ScaledTimeout(view.timer('HTTP_DOWNSTREAM_STREAM_IDLE'));
    this.random = random;
  }

  /** Whether a request whose head has come is turned away. */
  dropsRequest(): boolean {
    if (this.decodesHeads !== null && this.decodesHeads.shedsLoad()) return true;
    return this.stopsRequests !== null && happens(this.stopsRequests, this.random);
  }

  /** Whether an answer asks its client to go. */
  disablesKeepAlive(): boolean {
    return this.stopsKeepAlive !== null && happens(this.stopsKeepAlive, this.random);
  }

  /** Whether a connection whose first bytes have come is closed in place of being listened to. */
  shedsConnection(): boolean {
    return this.createsCodec !== null && this.createsCodec.shedsLoad();
  }

  /** Whether a request that would be forwarded is answered in place of that. */
  shedsForwarding(): boolean {
    return this.checksFilter !== null && this.checksFilter.shedsLoad();
  }

  /** A codec that asks with every chunk whether it may be read; null: the usual one will do. */
  openHttp1(host: CodecHost, acceptor: StreamAcceptor, options: H1ServerOptions): ServerCodec | null {
    const isAsked = Object.values(this.dispatch).some((point) => point !== null);
    return isAsked ? new SheddingH1Codec(host, acceptor, options, this.dispatch) : null;
  }

  /** Likewise. */
  openHttp2(host: CodecHost, acceptor: StreamAcceptor, options: H2ServerOptions): ServerCodec | null {
    const { goesAway, goesAwayAndCloses } = this.dispatch;
    return goesAway === null && goesAwayAndCloses === null
      ? null
      : new SheddingH2Codec(host, acceptor, options, this.dispatch);
  }

  /** With a flush timeout that is as long as it may be at the moment. */
  http2Options(options: H2ServerOptions): H2ServerOptions {
    const { flush } = this;
    if (flush === null) return options;
    const { streamFlushMs } = options;
    return {
      ...options,
      get streamFlushMs() {
        return flush.scaled(streamFlushMs);
      },
    };
  }

  connectionIdleMs(ms: number): number {
    return this.connectionIdle.scaled(ms);
  }

  connectionMaxMs(ms: number): number {
    return this.connectionMax.scaled(ms);
  }

  streamIdleMs(ms: number): number {
    return this.streamIdle.scaled(ms);
  }

  /** From now on timeouts are as long as the overload manager says now. */
  takeTimers(): void {
    this.connectionIdle.take();
    this.connectionMax.take();
    this.streamIdle.take();
  }
}

/** A kind of timeout whose length changes only when everybody who has one can be told. */
class ScaledTimeout {
  /** Null: it stays as it is. */
  private readonly scale: TimerScale | null;
  private taken: TimerScale | null;

  constructor(scale: TimerScale | null) {
    this.scale = scale;
    this.taken = scale?.asOfNow() ?? null;
  }

  scaled(ms: number): number {
    return this.taken === null ? ms : this.taken.scaled(ms);
  }

  take(): void {
    this.taken = this.scale?.asOfNow() ?? null;
  }
}

/** As Envoy's, whatever it is that turns a request away. */
export function overloadReply(tellsLocal: boolean): LocalReply {
  const reply = { status: 503, body: 'envoy overloaded', details: 'overload' };
  return tellsLocal ? { ...reply, headers: [['x-envoy-local-overloaded', 'true']] } : reply;
}
