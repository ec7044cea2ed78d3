import type { Connection, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';

/** A client that takes nothing for so long is given up: Envoy's default of `delayed_close_timeout`. */
const stallMs = 1000;

/** A terminal filter that answers from here: what `echo` and `direct_response` have in common. */
export class AnsweringHandler implements ConnectionHandler {
  private readonly answer: Uint8Array | null;
  private readonly open: Set<AnsweredConnection>;

  /** `answer`: sent to every client, whose connection is closed then; null: clients get back what they send. */
  constructor(answer: Uint8Array | null) {
    this.answer = answer;
    this.open = new Set();
  }

  handle(connection: Connection): ActiveConnection {
    const answered = new AnsweredConnection(connection, this.open);
    this.open.add(answered);
    connection.attach(answered);
    if (this.answer !== null) {
      // The giver of bytes never touches them again, and these are for everybody.
      if (this.answer.length > 0) connection.write(this.answer.slice());
      answered.finish('direct_response');
    }
    return answered;
  }

  drain(): void {}

  end(): void {
    this.closeAll();
  }

  closeAll(): void {
    for (const answered of this.open) answered.finish('');
  }
}

class AnsweredConnection implements ConnectionSink, ActiveConnection {
  readonly isIdle: boolean;
  private readonly connection: Connection;
  private readonly open: Set<AnsweredConnection>;
  private isFinished: boolean;
  private isPaused: boolean;

  constructor(connection: Connection, open: Set<AnsweredConnection>) {
    this.isIdle = false;
    this.connection = connection;
    this.open = open;
    this.isFinished = false;
    this.isPaused = false;
  }

  finish(reason: string): void {
    if (this.isFinished) return;
    this.isFinished = true;
    this.connection.closeAfterFlush(stallMs, DownstreamLocalClose.with(reason));
  }

  onBytes(chunk: Uint8Array): void {
    if (this.isFinished || this.connection.write(chunk) || this.isPaused) return;
    this.isPaused = true;
    this.connection.pause();
  }

  onDrain(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.connection.resume();
  }

  onEnd(): void {
    this.finish('');
  }

  onClosed(_failure: Failure): void {
    this.isFinished = true;
    this.open.delete(this);
  }
}
