import type { Clock, Timers } from '../../core/clock.ts';
import type { RegexCompiler } from '../../identity/san-matcher.ts';
import type { SecretStore } from '../../identity/secret-store.ts';
import type { Flushable } from '../loop.ts';
import type { Network } from '../network.ts';
import type { TlsScope } from './tls-stats.ts';

/** The thread's turns, as connections that are layered over others need them: `Loop`. */
export interface TlsTurns {
  readonly clock: Clock;
  readonly timers: Timers;
  markDirty(flushable: Flushable): void;
  /** Has it flushed when the event ends. */
  markUrgent(flushable: Flushable): void;
  leave(): void;
}

/** Where operators read what became of secrets and handshakes. */
export interface TlsLog {
  debug(message: string): void;
  warn(message: string): void;
}

/** What TLS transports have around them. */
export interface TlsTools {
  readonly network: Network;
  /** The thread's `Loop`. */
  readonly turns: TlsTurns;
  readonly secrets: SecretStore;
  /** Of the listener (`listener.<address>`) or the cluster (`cluster.<name>`). */
  readonly scope: TlsScope;
  /** Keys that session tickets are made with where none are configured: the same for all workers, 80 bytes each. */
  readonly ticketKeys: readonly Uint8Array[];
  /** `regex` of a SAN matcher, compiled as RE2 would. */
  readonly compileRegex: RegexCompiler;
  readonly log: TlsLog;
  /** Secrets change for all threads at once: one of them counts it. */
  readonly countsUpdates: boolean;
}
