import { Buffer } from 'node:buffer';
import type { CodecHost, ServerCodec, StreamAcceptor } from '../../src/codec/codec.ts';
import { H2ClientCodec } from '../../src/codec/h2/client.ts';
import {
  defaultClientOptions,
  defaultServerOptions,
  UnderscoreAction,
  type H2ClientOptions,
  type H2ServerOptions,
} from '../../src/codec/h2/options.ts';
import { H2ServerCodec } from '../../src/codec/h2/server.ts';
import type { H2Stream } from '../../src/codec/h2/stream.ts';
import { HpackDecoder } from '../../src/codec/hpack/decoder.ts';
import { ClosedByPeer, LocalReset } from '../../src/core/failures.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../src/core/head.ts';
import { Headers } from '../../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../../src/core/message-sink.ts';
import { bytesOfLine, framesOf, lineOf, preface } from './h2-frames.ts';
import { RecordingAcceptor, RecordingOwner, RecordingUser } from './recorder.ts';
import { unescapeText } from './transcript.ts';

const keepAlive = { intervalMs: 1000, timeoutMs: 500, jitter: 0, idleIntervalMs: 0 };

/** Options that a transcript may name after `h2-server` or `h2-client`. */
const options: Readonly<Record<string, Partial<H2ServerOptions> & Partial<H2ClientOptions>>> = {
  connect: { allowConnect: true },
  'stream-errors': { streamErrorOnInvalidHttpMessage: true },
  'reject-underscores': { headersWithUnderscores: UnderscoreAction.Reject },
  'drop-underscores': { headersWithUnderscores: UnderscoreAction.Drop },
  'small-head': { headersBytesMax: 128 },
  'few-headers': { headersCountMax: 8 },
  'one-stream': { maxConcurrentStreams: 1 },
  'small-windows': { initialStreamWindowSize: 20, initialConnectionWindowSize: 65535 },
  'small-connection': { initialStreamWindowSize: 65535, initialConnectionWindowSize: 65535 },
  'keep-alive': { keepAlive },
  'idle-ping': { keepAlive: { ...keepAlive, intervalMs: 0, idleIntervalMs: 100 } },
};

function optionsFrom<T>(defaults: T, words: readonly string[]): T {
  let result = defaults;
  for (const word of words) {
    if (options[word] === undefined) throw new Error(`no option ${word}`);
    result = { ...result, ...options[word] };
  }
  return result;
}

/** Events of one stream, each with its number in front. */
class StreamEvents extends Array<string> {
  private readonly all: string[];
  private readonly name: () => string;

  constructor(all: string[], name: () => string) {
    super();
    this.all = all;
    this.name = name;
  }

  override push(...events: string[]): number {
    for (const event of events) this.all.push(`${this.name()}: ${event}`);
    return 0;
  }
}

class FrameHost implements CodecHost {
  private readonly events: string[];
  private chunks: Uint8Array[] = [];
  isFull = false;

  constructor(events: string[]) {
    this.events = events;
  }

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk.slice());
    return !this.isFull;
  }

  writeLatin1(): boolean {
    throw new Error('HTTP/2 is no text');
  }

  pause(): void {
    this.events.push('pause');
  }

  resume(): void {
    this.events.push('resume');
  }

  wakeAt(at: number): void {
    this.events.push(`wake at ${at}`);
  }

  take(): Buffer {
    return Buffer.concat(this.chunks.splice(0));
  }
}

class Acceptor extends RecordingAcceptor implements StreamAcceptor {
  override accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const name = () => String((stream as unknown as H2Stream).id);
    const user = new RecordingUser<RequestHead>(new StreamEvents(this.events, name));
    this.users.push(user);
    this.streams.push(stream);
    return user;
  }
}

/** Drives one HTTP/2 codec through a transcript and collects what it does. */
export class H2Player {
  readonly events: string[] = [];
  private readonly host: FrameHost;
  private readonly codec: H2ServerCodec | H2ClientCodec;
  private readonly acceptor: Acceptor | null;
  private readonly streams: CodecStream<RequestHead | ResponseHead>[] = [];
  private readonly users: RecordingUser<ResponseHead>[] = [];
  private readonly hpack = new HpackDecoder({ tableBytesMax: 4096 });
  private now = 0;
  private isPrefaceSeen = false;

  constructor(words: readonly string[]) {
    const [role, ...named] = words;
    const names = named.filter((name) => name !== 'in-one-piece' && name !== 'raw');
    this.host = new FrameHost(this.events);
    if (role === 'h2-server') {
      this.isPrefaceSeen = true;
      this.acceptor = new Acceptor(this.events);
      this.codec = new H2ServerCodec(this.host, this.acceptor, optionsFrom(defaultServerOptions, names));
    } else {
      this.acceptor = null;
      const owner = new RecordingOwner(this.events);
      Object.assign(owner, { onCloseAnnounced: () => this.events.push('close announced') });
      this.codec = new H2ClientCodec(this.host, owner, optionsFrom(defaultClientOptions, names));
    }
    if (!named.includes('raw')) this.greet();
  }

  /** Both sides' settings, which a transcript does not show unless it is `raw`. */
  private greet(): void {
    this.receive(this.bytesOf(`${this.acceptor === null ? '' : 'PREFACE\n'}SETTINGS \nSETTINGS ack`));
    this.takeEvents();
    this.takeWritten();
  }

  bytesOf(text: string): Buffer {
    return Buffer.concat(text.split('\n').map(bytesOfLine));
  }

  receive(bytes: Buffer): void {
    this.codec.receive(bytes, this.now);
  }

  /** Runs one line of a `do` block. */
  perform(line: string): void {
    const [verb = '', ...words] = line.split(' ');
    switch (verb) {
      case 'fin':
        this.codec.receiveEnd(this.now);
        break;
      case 'closed':
        this.codec.closed(ClosedByPeer);
        break;
      case 'drain':
        (this.codec as ServerCodec).drain(this.now);
        break;
      case 'full':
        this.host.isFull = true;
        break;
      case 'above':
        this.host.isFull = true;
        this.codec.onAboveHighWatermark();
        break;
      case 'below':
        this.host.isFull = false;
        this.codec.onBelowLowWatermark();
        break;
      case 'at':
        this.now = Number(words[0]);
        this.codec.tick(this.now);
        break;
      case 'open':
        this.open();
        break;
      case 'can-open':
        this.events.push(`can open: ${(this.codec as H2ClientCodec).canOpen}`);
        break;
      default:
        this.performOnStream(line);
    }
  }

  /** What happened since the last call, data of one message joined. */
  takeEvents(): string {
    for (const user of this.acceptor?.users ?? this.users) user.flushData();
    return this.events
      .splice(0)
      .map((event) => event.replace(/: data (.{65,})$/, (_, data: string) => `: data (${data.length} bytes)`))
      .join('\n');
  }

  /** Frames, a line each; header blocks as fields. */
  takeWritten(): string {
    let bytes = this.host.take();
    const lines: string[] = [];
    if (!this.isPrefaceSeen && bytes.length > 0) {
      this.isPrefaceSeen = true;
      lines.push(bytes.toString('latin1', 0, preface.length) === preface ? 'PREFACE' : 'no preface');
      bytes = bytes.subarray(preface.length);
    }
    for (const frame of framesOf(bytes)) lines.push(lineOf(frame, (block) => this.fieldsOf(block)));
    return lines.join('\n');
  }

  private fieldsOf(block: Buffer): string {
    const fields: string[] = [];
    const onField = (name: string, value: string): void => {
      fields.push(`${name}=${value.length > 64 ? `(${value.length})` : value.replaceAll(' ', '_')}`);
    };
    const error = this.hpack.decode(block, 0, block.length, 1e6, 1e6, { onField });
    return error === 0 ? fields.join(' ') : 'no HPACK';
  }

  private open(): void {
    const index = this.users.length;
    const name = () => String((this.streams[index] as unknown as H2Stream | undefined)?.id ?? '-');
    const user = new RecordingUser<ResponseHead>(new StreamEvents(this.events, name));
    this.users.push(user);
    this.streams.push((this.codec as H2ClientCodec).open(user, this.now));
  }

  /** `@3 data hello end`: of stream 3; without a number, of the last one. */
  private performOnStream(line: string): void {
    const words = line.split(' ');
    const streams = this.acceptor?.streams ?? this.streams;
    const id = words[0].startsWith('@') ? Number(words.shift()!.slice(1)) : null;
    const stream = (
      id === null ? streams.at(-1) : streams.find((one) => (one as unknown as H2Stream).id === id)
    ) as CodecStream<RequestHead | ResponseHead>;
    const verb = words.shift();
    const end = words.at(-1) === 'end';
    if (end) words.pop();
    switch (verb) {
      case 'head':
        stream.head(this.headOf(words), end);
        break;
      case 'data':
        stream.data(bodyOf(words.join(' ')), end);
        break;
      case 'end':
        stream.data(new Uint8Array(0), true);
        break;
      case 'trailers':
        stream.trailers(headersOf(words));
        break;
      case 'reset':
        stream.reset(LocalReset);
        break;
      case 'pause':
        stream.pause();
        break;
      case 'resume':
        stream.resume();
        break;
      default:
        throw new Error(`what is "${line}"?`);
    }
  }

  /** `head 200 name:value …` or `head GET authority path name:value …` */
  private headOf(words: readonly string[]): RequestHead | ResponseHead {
    if (this.acceptor !== null) return new ResponseHead(Number(words[0]), headersOf(words.slice(1)));
    const [method = '', authority = '', path = ''] = words;
    const head = new RequestHead(method, authority, path, HttpVersion.Http11, headersOf(words.slice(3)));
    head.scheme = 'http';
    return head;
  }
}

/** `x*100` is a hundred of them. */
function bodyOf(text: string): Buffer {
  const match = /^(.*)\*(\d+)$/.exec(text);
  return Buffer.from(match === null ? unescapeText(text) : match[1].repeat(Number(match[2])), 'latin1');
}

function headersOf(words: readonly string[]): Headers {
  const headers = new Headers();
  for (const word of words) {
    const colon = word.indexOf(':');
    if (colon > 0) headers.add(word.slice(0, colon), word.slice(colon + 1).replaceAll('_', ' '));
  }
  return headers;
}
