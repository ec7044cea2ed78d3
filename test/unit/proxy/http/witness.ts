import type { RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Verdict, type HttpFilter, type Stream } from '../../../../src/filter/filter.ts';

/** Writes down which of its hooks ran. */
export class Witness implements HttpFilter {
  private readonly name: string;
  private readonly story: string[];

  constructor(name: string, story: string[]) {
    this.name = name;
    this.story = story;
  }

  onRequestHead(_stream: Stream, _head: RequestHead, _end: boolean): Verdict {
    this.story.push(`${this.name} request`);
    return Verdict.Continue;
  }

  onRequestData(_stream: Stream, _chunk: Uint8Array, _end: boolean): Verdict {
    this.story.push(`${this.name} request data`);
    return Verdict.Continue;
  }

  onResponseHead(_stream: Stream, head: ResponseHead, _end: boolean): Verdict {
    this.story.push(`${this.name} response ${head.status}`);
    return Verdict.Continue;
  }

  onResponseData(_stream: Stream, _chunk: Uint8Array, _end: boolean): Verdict {
    this.story.push(`${this.name} response data`);
    return Verdict.Continue;
  }

  onComplete(_stream: Stream): void {
    this.story.push(`${this.name} complete`);
  }
}
