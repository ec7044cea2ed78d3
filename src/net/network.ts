import type { Clock, Timers } from '../core/clock.ts';
import type { AcceptedConnection, Connection } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';
import type { Address, SourceAddress } from '../core/peer.ts';
import type { SocketOptionData } from './socket-options/socket-option-data.ts';

/** Where a socket is made, and how the kernel's rules know it. */
export interface SocketPlace {
  /** Descriptor of a network namespace; -1: the thread's own. */
  readonly namespaceFd: number;
  /** SO_MARK; 0: none. */
  readonly mark: number;
}

export interface DialOptions {
  /** Milliseconds. */
  readonly connectTimeoutMs: number;
  readonly bufferLimit: number;
  /** Local address to bind to; null: any. */
  readonly bindAddress: { readonly host: string; readonly port: number } | null;
  /** `bindAddress` may be one that this machine does not have yet (IP_FREEBIND); absent: no. */
  readonly isFree?: boolean;
  /** What the kernel is told besides, of sockets of IP; absent: nothing. */
  readonly socketOptions?: readonly SocketOptionData[];
  /** The address of another that it leaves from instead (IP_TRANSPARENT); absent: of none. Only to IP addresses. */
  readonly source?: SourceAddress;
  /** Absent: here, without a mark. Only to IP addresses. */
  readonly place?: SocketPlace;
  /** Seconds before the first TCP keep-alive probe; null: off. */
  readonly keepAliveSeconds: number | null;
  /** Between probes, where there are any, and how many go unanswered before it is given up; absent or 0: the kernel's. */
  readonly keepAliveIntervalSeconds?: number;
  readonly keepAliveProbes?: number;
  /** What is said first, before a handshake; where the network is a PrologueNetwork. */
  readonly prologue?: (connection: Connection) => Uint8Array;
  /** What an internal listener gets to know with the connection; absent: nothing. */
  readonly passed?: PassedState;
}

/** What crosses a connection in memory beside its bytes. */
export interface PassedState {
  /** Namespace → struct; null: none. */
  readonly metadata: ReadonlyMap<string, unknown> | null;
  /** Objects of filter state by their keys; null: none. */
  readonly filterState: ReadonlyMap<string, unknown> | null;
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
  /** It takes connections that TPROXY sends it, and its address may be another's (IP_TRANSPARENT); absent: no. */
  readonly isTransparent?: boolean;
  /** Absent: here, without a mark. Only at IP addresses. */
  readonly place?: SocketPlace;
  /** Its address may be one that this machine does not have yet (IP_FREEBIND); absent: no. */
  readonly isFree?: boolean;
  /** What the kernel is told besides, of a socket of IP; accepted ones inherit it. Absent: nothing. */
  readonly socketOptions?: readonly SocketOptionData[];
  /** Of an internal address: what a connection holds in each direction before its writer is told to wait. */
  readonly pairBufferBytes?: number;
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
