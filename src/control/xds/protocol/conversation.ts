import type { Clock, Timers } from '../../../core/clock.ts';
import type { Log } from '../../../observe/log/log.ts';
import type { Node } from '../../../proto/envoy/config/core/v3/base_pb.js';
import type { ControlPlaneStats } from '../stream/control-plane-stats.ts';
import type { Watch } from './watch.ts';

/** What is asked for over a stream, whichever protocol it speaks: one kind of resource or many. */
export interface Conversation {
  watch(watch: Watch): void;
  unwatch(watch: Watch): void;
  rename(watch: Watch, names: readonly string[]): void;
  /** Some of `ConversationOptions.held` is held no more. */
  onReleased(): void;
}

/** What is said on a stream. */
export interface StreamUser<Response> {
  /** A stream begins: ask for everything anew. */
  onOpened(): void;
  onResponse(response: Response): void;
  /** There is room for requests again, of which `mayAsk` has said that there is none. */
  onRoom(): void;
  /** It ended, or could not be opened; another is on its way. */
  onFailed(): void;
}

/** Where requests go. */
export interface RequestStream<Request> {
  readonly isOpen: boolean;
  /** Room for one request, which is to be sent then; false: `onRoom` tells when there is some. */
  mayAsk(): boolean;
  send(request: Request): void;
}

/** What both protocols need of the one whose conversation it is. */
export interface ConversationOptions {
  readonly node: Node;
  readonly nodeOnFirstMessageOnly: boolean;
  readonly stats: ControlPlaneStats;
  readonly log: Log;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Type URLs of which nothing is said for now. */
  readonly held: ReadonlyMap<string, number>;
  /** Type URLs of which whoever wants all gets what comes, and nothing but names is asked for. */
  readonly onDemand?: ReadonlySet<string>;
  /** Does it once when whatever happens now is over: what many ask for one after the other becomes one request. */
  defer(act: () => void): void;
}

/** Characters of a refusal that the control plane is told. Source: Envoy `truncateGrpcStatusMessage`. */
const refusalMax = 4096;

export function truncated(refusal: string): string {
  return refusal.length > refusalMax ? `${refusal.slice(0, refusalMax)}...(truncated)` : refusal;
}
