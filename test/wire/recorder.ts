import type { ClientCodecOwner, CodecHost, StreamAcceptor } from '../../src/codec/codec.ts';
import type { Failure } from '../../src/core/failure.ts';
import { RequestHead, type ResponseHead } from '../../src/core/head.ts';
import type { Headers } from '../../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../../src/core/message-sink.ts';

/** Fields as one line: `name: value | name: value`. */
export function fieldsOf(headers: Headers): string {
  return headers.names.map((name, i) => `${name}: ${headers.values[i]}`).join(' | ');
}

/** Escapes what a transcript must show. */
export function visible(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n')
    .replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A host that keeps what was written and counts pauses. */
export class RecordingHost implements CodecHost {
  written = '';
  pauses = 0;
  hasEnded = false;
  private readonly events: string[];

  constructor(events: string[] = []) {
    this.events = events;
  }

  write(chunk: Uint8Array): boolean {
    this.written += Buffer.from(chunk).toString('latin1');
    return true;
  }

  writeLatin1(text: string): boolean {
    this.written += text;
    return true;
  }

  end(): void {
    this.hasEnded = true;
    this.events.push('half-close');
  }

  pause(): void {
    this.pauses++;
    this.events.push('pause');
  }

  resume(): void {
    this.pauses--;
    this.events.push('resume');
  }
}

/** Writes down what a stream's user hears. Data of one message is one event, however it came. */
export class RecordingUser<Head extends RequestHead | ResponseHead> implements StreamUser<Head> {
  readonly events: string[];
  data_ = '';
  isOver = false;
  failure: Failure | null = null;
  private readonly onEnd: () => void;

  constructor(events: string[], onEnd: () => void = () => undefined) {
    this.events = events;
    this.onEnd = onEnd;
  }

  head(head: Head, end: boolean): void {
    const version = head.version / 10;
    const start =
      head instanceof RequestHead
        ? `request ${head.method} ${head.scheme === '' ? '' : `${head.scheme}://`}${head.authority} ${head.path} ${version.toFixed(1)}`
        : `response ${head.status} ${version.toFixed(1)}`;
    this.events.push(start);
    const names = head.headers.rawNames ?? head.headers.names;
    for (let i = 0; i < names.length; i++) this.events.push(`  ${names[i]}: ${visible(head.headers.values[i])}`);
    if (end) this.finish();
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) throw new Error('data after the end');
    if (chunk.length === 0 && !end) throw new Error('empty data');
    this.data_ += Buffer.from(chunk).toString('latin1');
    if (end) this.finish();
  }

  trailers(trailers: Headers): void {
    this.flushData();
    this.events.push(`trailers ${fieldsOf(trailers)}`);
    this.finish();
  }

  reset(failure: Failure): void {
    if (this.failure !== null) throw new Error('two resets');
    this.failure = failure;
    this.flushData();
    const { status, reason } = failure.kind;
    this.events.push(`reset ${status} ${reason}`);
    this.isOver = true;
  }

  onAboveHighWatermark(): void {
    this.events.push('above high watermark');
  }

  onBelowLowWatermark(): void {
    this.events.push('below low watermark');
  }

  flushData(): void {
    if (this.data_ !== '') this.events.push(`data ${visible(this.data_)}`);
    this.data_ = '';
  }

  private finish(): void {
    if (this.isOver) throw new Error('two ends');
    this.isOver = true;
    this.flushData();
    this.events.push('end');
    this.onEnd();
  }
}

/** Takes streams and lets a function answer each when its request has ended, or has been found invalid. */
export class RecordingAcceptor implements StreamAcceptor {
  readonly events: string[];
  readonly users: RecordingUser<RequestHead>[] = [];
  readonly streams: CodecStream<ResponseHead>[] = [];
  private readonly answer: (stream: CodecStream<ResponseHead>, failure: Failure | null) => void;

  constructor(events: string[], answer: RecordingAcceptor['answer'] = () => undefined) {
    this.events = events;
    this.answer = answer;
  }

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const user = new RecordingUser<RequestHead>(this.events, () => this.answer(stream, null));
    const reset = user.reset.bind(user);
    user.reset = (failure: Failure) => {
      reset(failure);
      this.answer(stream, failure);
    };
    this.users.push(user);
    this.streams.push(stream);
    return user;
  }

  onProtocolError(failure: Failure): void {
    this.events.push(`protocol error ${failure.kind.reason}`);
  }

  onFinished(): void {
    this.events.push('finished');
  }
}

export class RecordingOwner implements ClientCodecOwner {
  private readonly events: string[];

  constructor(events: string[]) {
    this.events = events;
  }

  onStreamDone(reusable: boolean): void {
    this.events.push(reusable ? 'done, reusable' : 'done');
  }

  onProtocolError(failure: Failure): void {
    this.events.push(`protocol error ${failure.kind.reason}: ${failure.detail}`);
  }
}

/** Keeps what a stream's user is given, as it is given. */
export class CollectingUser<Head> implements StreamUser<Head> {
  readonly heads: Head[] = [];
  readonly chunks: Uint8Array[] = [];
  trailing: Headers | null = null;
  ends = 0;
  failure: Failure | null = null;

  head(head: Head, end: boolean): void {
    this.heads.push(head);
    if (end) this.ends++;
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.chunks.push(chunk);
    if (end) this.ends++;
  }

  trailers(trailers: Headers): void {
    this.trailing = trailers;
    this.ends++;
  }

  reset(failure: Failure): void {
    this.failure = failure;
  }

  onAboveHighWatermark(): void {}

  onBelowLowWatermark(): void {}

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** Gives every stream to one user. */
export class CollectingAcceptor implements StreamAcceptor {
  readonly user = new CollectingUser<RequestHead>();
  stream: CodecStream<ResponseHead> | null = null;

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    this.stream = stream;
    return this.user;
  }

  onProtocolError(): void {}

  onFinished(): void {}
}
