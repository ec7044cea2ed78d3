import type { Clock, Timers } from '../core/clock.ts';
import type { AcceptedConnection, Connection } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import type { Address } from '../core/peer.ts';

export interface DialOptions {
  /** Milliseconds. */
  readonly connectTimeoutMs: number;
  readonly bufferLimit: number;
  /** Local address to bind to; null: any. */
  readonly bindAddress: { readonly host: string; readonly port: number } | null;
  /** Seconds before the first TCP keep-alive probe; null: off. */
  readonly keepAliveSeconds: number | null;
  /** What is said first, before a handshake; where the network is a PrologueNetwork. */
  readonly prologue?: (connection: Connection) => Uint8Array;
}

export interface DialHandler {
  onConnected(connection: Connection): void;
  /** LocalConnectionFailure, RemoteConnectionFailure or ConnectionTimeout, with the kernel's words as detail. */
  onDialFailure(failure: Failure): void;
}

export interface Dialing {
  /** No call on the handler follows. */
  cancel(): void;
}

export interface ListenOptions {
  readonly reusePort: boolean;
  /** -1: the kernel's maximum. */
  readonly backlog: number;
  readonly ipv6Only: boolean;
  /** Mode bits of a Unix socket; null: leave. */
  readonly pipeMode: number | null;
  readonly bufferLimit: number;
  readonly keepAliveSeconds: number | null;
}

export interface AcceptHandler {
  onAccepted(connection: AcceptedConnection): void;
  onAcceptFailure(message: string): void;
}

export interface ListeningSocket {
  /** What it is bound to: the port where 0 was asked for. */
  readonly address: Address;
  /** Who gets the connections from now on: a replaced listener hands its socket over without closing it. */
  handler: AcceptHandler;
  /** Stops accepting; open connections go on. */
  close(): void;
}

/** The operating system, as the rest may know it. One per thread. */
export interface Network {
  readonly clock: Clock;
  readonly timers: Timers;
  listen(address: Address, options: ListenOptions, handler: AcceptHandler): Promise<ListeningSocket>;
  dial(address: Address, options: DialOptions, handler: DialHandler): Dialing;
}
