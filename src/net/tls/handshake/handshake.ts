import type { Failure } from '../../../core/failure.ts';
import type { HandshakeQuestions } from '../context/callbacks.ts';
import type { TlsConnection } from '../tls-connection.ts';

/** What a TlsConnection asks of, and tells, whoever wants its handshake: a listener's transport, or a dialing. */
export interface Handshake extends HandshakeQuestions {
  readonly isClient: boolean;
  /** False: others are before it; `continueHandshake` follows. */
  mayWork(connection: TlsConnection): boolean;
  /** A piece of the handshake took so long. */
  spent(ms: number): void;
  /** Complete. Bytes follow. */
  onSecured(connection: TlsConnection): void;
  /**
   * @param errors Envoy's transport failure reason; empty: the peer went away
   * @param closed what the transport said when it closed
   * @returns what the sink hears
   */
  onFailed(connection: TlsConnection, errors: string, closed?: Failure): Failure;
  onTimeout(connection: TlsConnection): Failure;
  /** Our side gives it up. */
  onAbandoned(connection: TlsConnection): void;
  /** After the handshake something came that is no TLS. */
  onBroken(): void;
  /** Its transport has closed. */
  onOver(connection: TlsConnection): void;
}
