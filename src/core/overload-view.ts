/**
 * How overloaded the process is, as whoever acts on it asks. The main thread decides; the numbers are in shared memory,
 * so that reading one costs a load. What the configuration does not name is null, and whoever is built with null has
 * nothing to ask.
 */
export interface OverloadView {
  action(name: OverloadAction): OverloadState | null;
  shedPoint(name: LoadShedPointName): LoadShedPoint | null;
  /** Of `reduce_timeouts`. */
  timer(name: ScaledTimerName): TimerScale | null;
  /** `global_downstream_max_connections`; 0: it is not monitored. */
  readonly connectionsMax: number;
}

/** Without `envoy.overload_actions.` in front. */
export const overloadActions = [
  'stop_accepting_requests',
  'disable_http_keepalive',
  'stop_accepting_connections',
  'reject_incoming_connections',
  'shrink_heap',
  'reduce_timeouts',
  // Envoy closes idle HTTP/3 connections, and there are none here.
  'close_idle_http_connections',
] as const;
export type OverloadAction = (typeof overloadActions)[number];

/** Without `envoy.load_shed_points.` in front. */
export const loadShedPoints = [
  'tcp_listener_accept',
  'http_connection_manager_decode_headers',
  'http1_server_abort_dispatch',
  'http2_server_go_away_on_dispatch',
  'http2_server_go_away_and_close_on_dispatch',
  'hcm_ondata_creating_codec',
  'http_downstream_filter_check',
  'connection_pool_new_connection',
] as const;
export type LoadShedPointName = (typeof loadShedPoints)[number];

/** `ScaleTimersOverloadActionConfig.TimerType`. */
export const scaledTimers = [
  'HTTP_DOWNSTREAM_CONNECTION_IDLE',
  'HTTP_DOWNSTREAM_STREAM_IDLE',
  'TRANSPORT_SOCKET_CONNECT',
  'HTTP_DOWNSTREAM_CONNECTION_MAX',
  'HTTP_DOWNSTREAM_STREAM_FLUSH',
] as const;
export type ScaledTimerName = (typeof scaledTimers)[number];

/** How much of an action is to be taken: 0 none, 1 all of it; between them as a probability. */
export interface OverloadState {
  readonly value: number;
}

/** Where work may be turned away. */
export interface LoadShedPoint {
  /** Counts what is turned away. */
  shedsLoad(): boolean;
}

/** The least that a timeout is reduced to: milliseconds, or a share of it. */
export type TimerMinimum =
  | { readonly kind: 'ms'; readonly ms: number }
  | { readonly kind: 'share'; readonly share: number };

/** A kind of timeout that becomes the shorter the more its state says so. */
export class TimerScale {
  private readonly state: OverloadState;
  private readonly minimum: TimerMinimum;

  constructor(state: OverloadState, minimum: TimerMinimum) {
    this.state = state;
    this.minimum = minimum;
  }

  /** What it says now, whatever it says later. */
  asOfNow(): TimerScale {
    return new TimerScale({ value: this.state.value }, this.minimum);
  }

  /** What a timeout of `ms` is now. */
  scaled(ms: number): number {
    const { value } = this.state;
    if (value === 0) return ms;
    const least = this.minimum.kind === 'ms' ? Math.min(this.minimum.ms, ms) : this.minimum.share * ms;
    return ms - (ms - least) * value;
  }
}

/** So often as its value says. */
export function happens({ value }: OverloadState, random: () => number): boolean {
  return value > 0 && (value >= 1 || random() < value);
}
