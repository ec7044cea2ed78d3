import type { Address } from '../../core/peer.ts';
import type { Workload } from '../state/workload.ts';

/** What is known of a service that a connection is for. */
export interface ServiceFacts {
  readonly hostname: string;
  readonly namespace: string;
  readonly name: string;
}

/** A connection through a workload's proxy, as logs, metrics and config_dump tell of it. */
export interface ConnectionFacts {
  readonly direction: 'inbound' | 'outbound';
  /** Who asks, and from where. */
  readonly source: Workload | null;
  readonly sourceAddress: Address;
  /** SPIFFE; empty: not proved. */
  readonly sourceIdentity: string;
  readonly destination: Workload | null;
  /** What was connected to, or what the client has connected to. */
  readonly destinationAddress: Address;
  readonly destinationIdentity: string;
  /** Of a CONNECT; empty: none. */
  readonly hboneAddress: string;
  readonly service: ServiceFacts | null;
  /** Where it was going before it was redirected; null: it was not. */
  readonly originalDestination: Address | null;
}

/** Metrics' `response_flags`. */
export type ResponseFlags =
  | '-'
  | 'DENY'
  | 'CONNECT'
  | 'TLS_FAILURE'
  | 'H2_HANDSHAKE_FAILURE'
  | 'NETWORK_POLICY'
  | 'IDENTITY_ERROR'
  | 'CERT_REVOKED';

/** Why a connection did not end well; ztunnel's words. */
export interface ConnectionError {
  readonly text: string;
  readonly flags: ResponseFlags;
}

/** What becomes of one connection. */
export interface ConnectionReport {
  /** Exactly once. `sent`: by the destination; `received`: by the source. Error null: it ended as connections end. */
  close(error: ConnectionError | null, sentBytes: number, receivedBytes: number): void;
}

/** Who counts and logs a thread's connections. */
export interface Reporter {
  open(facts: ConnectionFacts): ConnectionReport;
  /** It was turned away before anything was known of it. */
  refused(facts: ConnectionFacts, error: ConnectionError): void;
}
