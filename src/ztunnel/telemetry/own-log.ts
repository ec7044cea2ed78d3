import { LogLines, ZtunnelLevel } from './log-lines.ts';
import { StandardOutput } from './standard-output.ts';

/** How long the end of a thread waits for a reader. */
const finishMs = 500;

/** The log of a thread, on standard output. */
export class OwnLog extends LogLines {
  private readonly output: StandardOutput;

  constructor(isJson: boolean) {
    const output = new StandardOutput();
    super(isJson, (text) => output.write(text));
    this.output = output;
    output.onCaughtUp = (count) =>
      this.write(ZtunnelLevel.Warn, 'log', `${count} lines were dropped: nobody read standard output`);
  }

  /** Before the end: everything that was said is written, if there is anybody to read it. */
  finish(): void {
    this.flush();
    this.output.finish(finishMs);
  }
}
