import type { FilteredStream } from '../../../../src/filter/network/network-filter.ts';
import { ConnectionNotes } from '../../../../src/observe/connection-notes.ts';

/** A connection that writes down what a filter does with it. */
export class TestFilteredStream implements FilteredStream {
  readonly id = 1;
  readonly peer = {} as FilteredStream['peer'];
  readonly notes = new ConnectionNotes();
  readonly heard: string[] = [];

  proceed(): void {
    this.heard.push('proceed');
  }

  pause(): void {
    this.heard.push('pause');
  }

  resume(): void {
    this.heard.push('resume');
  }

  close(reason: string): void {
    this.heard.push(`close ${reason}`);
  }
}
