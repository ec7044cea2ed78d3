import type { Connection } from '../core/connection.ts';

/** What a filter chain does with a connection: `proxy/http` and `proxy/tcp` implement it. */
export interface ConnectionHandler {
  handle(connection: Connection, filterChainName: string): ActiveConnection;
  /** Connections that this handler still carries are told to finish; new requests are still answered until then. */
  drain(): void;
}

export interface ActiveConnection {
  readonly isIdle: boolean;
}
