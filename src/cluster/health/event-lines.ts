import type { Clock } from '../../core/clock.ts';
import type { LogFile } from '../../observe/access-log/log-file.ts';

/** Any JSON object. */
export type EventJson = Readonly<Record<string, unknown>>;

/** Files that events are written to, a line of JSON each, as Envoy prints protobuf messages. */
export class EventLines {
  private readonly files: readonly LogFile[];
  private readonly clock: Clock;

  constructor(files: readonly LogFile[], clock: Clock) {
    this.files = files;
    this.clock = clock;
  }

  get isSilent(): boolean {
    return this.files.length === 0;
  }

  /** `google.protobuf.Timestamp` of now: milliseconds, unless they are 0. */
  get timestamp(): string {
    return new Date(this.clock.epochMs).toISOString().replace('.000Z', 'Z');
  }

  write(event: EventJson): void {
    const line = Buffer.from(`${JSON.stringify(event)}\n`).toString('latin1');
    for (const file of this.files) {
      file.beginLine().text(line);
      file.endLine();
    }
  }
}
