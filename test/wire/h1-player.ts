import type { ClientCodec, ServerCodec } from '../../src/codec/codec.ts';
import { H1ClientCodec } from '../../src/codec/h1/client.ts';
import {
  defaultClientOptions,
  defaultServerOptions,
  HeaderKeyFormat,
  UnderscoreAction,
  type H1ClientOptions,
  type H1ServerOptions,
} from '../../src/codec/h1/options.ts';
import { H1ServerCodec } from '../../src/codec/h1/server.ts';
import { ClosedByPeer, LocalReset } from '../../src/core/failures.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../src/core/head.ts';
import { Headers } from '../../src/core/headers.ts';
import type { CodecStream } from '../../src/core/message-sink.ts';
import { RecordingAcceptor, RecordingHost, RecordingOwner, RecordingUser, visible } from './recorder.ts';
import { unescapeText } from './transcript.ts';

/** Options that a transcript may name after `server` or `client`. */
const serverOptions: Readonly<Record<string, Partial<H1ServerOptions>>> = {
  http10: { acceptHttp10: true },
  trailers: { enableTrailers: true },
  'chunked-length': { allowChunkedLength: true },
  'custom-methods': { allowCustomMethods: true },
  'no-absolute-url': { allowAbsoluteUrl: false },
  'proper-case': { headerKeyFormat: HeaderKeyFormat.ProperCase },
  'preserve-case': { headerKeyFormat: HeaderKeyFormat.PreserveCase },
  'reject-underscores': { headersWithUnderscores: UnderscoreAction.Reject },
  'drop-underscores': { headersWithUnderscores: UnderscoreAction.Drop },
  'ignore-websocket': { ignoredUpgrades: [{ matches: (value) => value === 'websocket' }] },
  early: { acceptsEarly: true },
  'small-head': { headersBytesMax: 64 },
};
const clientOptions: Readonly<Record<string, Partial<H1ClientOptions>>> = {
  trailers: { enableTrailers: true },
  'chunked-length': { allowChunkedLength: true },
  'full-url': { sendFullyQualifiedUrl: true },
  'proper-case': { headerKeyFormat: HeaderKeyFormat.ProperCase },
  'preserve-case': { headerKeyFormat: HeaderKeyFormat.PreserveCase },
};

function optionsFrom<T>(known: Readonly<Record<string, Partial<T>>>, defaults: T, words: readonly string[]): T {
  let options = defaults;
  for (const word of words) {
    const more = known[word];
    if (more === undefined) throw new Error(`no option ${word}`);
    options = { ...options, ...more };
  }
  return options;
}

/** Drives one codec through a transcript and collects what it does. */
export class Player {
  readonly events: string[] = [];
  readonly host: RecordingHost;
  private readonly codec: ServerCodec | ClientCodec;
  private readonly acceptor: RecordingAcceptor | null;
  private stream: CodecStream<RequestHead> | null = null;
  private user: RecordingUser<ResponseHead> | null = null;

  constructor(words: readonly string[]) {
    const [role, ...named] = words;
    const names = named.filter((name) => name !== 'in-one-piece');
    this.host = new RecordingHost(this.events);
    if (role === 'server') {
      this.acceptor = new RecordingAcceptor(this.events);
      this.codec = new H1ServerCodec(this.host, this.acceptor, optionsFrom(serverOptions, defaultServerOptions, names));
    } else {
      this.acceptor = null;
      const options = optionsFrom(clientOptions, defaultClientOptions, names);
      this.codec = new H1ClientCodec(this.host, new RecordingOwner(this.events), options);
    }
  }

  receive(bytes: Buffer): void {
    this.codec.receive(bytes, 0);
  }

  /** Runs one line of a `do` block. */
  perform(line: string): void {
    const [verb = '', ...words] = line.split(' ');
    switch (verb) {
      case 'fin':
        this.codec.receiveEnd(0);
        break;
      case 'closed':
        this.codec.closed(ClosedByPeer);
        break;
      case 'drain':
        (this.codec as ServerCodec).drain();
        break;
      case 'above':
        this.codec.onAboveHighWatermark();
        break;
      case 'below':
        this.codec.onBelowLowWatermark();
        break;
      case 'open':
        this.open();
        break;
      default:
        this.performOnStream(verb, words, line);
    }
  }

  /** What happened since the last call, data of one message joined. */
  takeEvents(): string {
    for (const user of this.acceptor?.users ?? []) user.flushData();
    this.user?.flushData();
    return this.events.splice(0).join('\n');
  }

  takeWritten(): string {
    const written = this.host.written;
    this.host.written = '';
    return visible(written).replaceAll('\\r\\n', '\n');
  }

  private open(): void {
    this.user = new RecordingUser<ResponseHead>(this.events);
    this.stream = (this.codec as ClientCodec).open(this.user);
  }

  private performOnStream(verb: string, words: readonly string[], line: string): void {
    const stream = (this.acceptor?.streams.at(-1) ?? this.stream) as CodecStream<RequestHead | ResponseHead>;
    const end = words.at(-1) === 'end';
    switch (verb) {
      case 'head':
        stream.head(this.headOf(words), end);
        break;
      case 'data':
        stream.data(Buffer.from(unescapeText((end ? words.slice(0, -1) : words).join(' ')), 'latin1'), end);
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

function headersOf(words: readonly string[]): Headers {
  const headers = new Headers();
  for (const word of words) {
    const colon = word.indexOf(':');
    if (colon > 0) headers.add(word.slice(0, colon), word.slice(colon + 1));
  }
  return headers;
}
