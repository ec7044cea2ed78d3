import type { ConnectionSink } from '../core/connection.ts';
import type { Failure } from '../core/failure.ts';

/** Takes the place of a sink whose connection is closing: only the end is still of interest. */
export class ClosingSink implements ConnectionSink {
  private readonly sink: ConnectionSink | null;

  constructor(sink: ConnectionSink | null) {
    this.sink = sink;
  }

  onBytes(): void {}

  onDrain(): void {}

  onEnd(): void {}

  onClosed(failure: Failure): void {
    this.sink?.onClosed(failure);
  }
}
