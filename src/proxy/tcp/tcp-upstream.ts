import type { Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import type { TcpSession } from './tcp-session.ts';

/** The upstream side of a session: tells it apart from the downstream one. */
export class TcpUpstream implements ConnectionSink {
  readonly connection: Connection;
  private readonly session: TcpSession;

  constructor(session: TcpSession, connection: Connection) {
    this.connection = connection;
    this.session = session;
  }

  onBytes(chunk: Uint8Array): void {
    this.session.onUpstreamBytes(chunk);
  }

  onDrain(): void {
    this.session.onUpstreamDrain();
  }

  onEnd(): void {
    this.session.onUpstreamEnd();
  }

  onClosed(failure: Failure): void {
    this.session.onUpstreamClosed(failure);
  }
}
