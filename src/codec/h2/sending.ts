import type { Failure } from '../../core/failure.ts';
import type { Headers } from '../../core/headers.ts';
import type { CodecHost } from '../codec.ts';
import { HpackEncoder } from '../hpack/encoder.ts';
import { H2Counter } from './counters.ts';
import { OutboundFramesFlood } from './failures.ts';
import { FloodGuard } from './flow/flood-guard.ts';
import { OutboundFrames } from './flow/outbound-frames.ts';
import { ReceiveWindow } from './flow/receive-window.ts';
import { SendScheduler } from './flow/send-scheduler.ts';
import type { ErrorCode } from './frame/error-code.ts';
import { FrameWriter } from './frame/frame-writer.ts';
import { frameHeaderBytes, int31Max, windowBytesDefault } from './frame/frame.ts';
import { PeerSettings, Setting } from './frame/settings.ts';
import { gatheredBytesMax, sentFrameBytesMax, streamBufferBytesMax } from './limits.ts';
import { writeTrailers } from './message/head-writer.ts';
import type { H2Options } from './options.ts';
import { ResetStreams } from './reset-streams.ts';
import type { H2Stream } from './stream.ts';

/** The half of a connection that writes: frames, their order and the windows that bound them. */
export abstract class H2Sending {
  /** Monotonic milliseconds of the event that is being handled. */
  now: number;
  readonly peer: PeerSettings;
  readonly scheduler: SendScheduler;
  readonly streamBufferBytesMax: number;
  /** Unsent DATA of all streams. */
  queuedBytes: number;
  readonly hpackEncoder: HpackEncoder;
  readonly writer: FrameWriter;
  protected readonly host: CodecHost;
  protected readonly options: H2Options;
  protected readonly guard: FloodGuard;
  protected readonly resetStreams: ResetStreams;
  /** What the peer may send on the connection. */
  protected readonly window: ReceiveWindow;
  /** Bytes are being read: what is written meanwhile leaves together. */
  protected isReceiving: boolean;
  private readonly outbound: OutboundFrames;
  private readonly frameBytesMax: number;
  private sendWindow: number;
  private isPumping: boolean;
  private isFlooded: boolean;

  constructor(host: CodecHost, options: H2Options) {
    this.now = 0;
    this.peer = new PeerSettings();
    this.scheduler = new SendScheduler();
    this.streamBufferBytesMax = Math.min(streamBufferBytesMax, options.initialStreamWindowSize);
    this.queuedBytes = 0;
    this.hpackEncoder = new HpackEncoder(options.hpackTableSize, options.huffman);
    this.writer = new FrameWriter(host);
    this.host = host;
    this.options = options;
    this.guard = new FloodGuard(options);
    this.resetStreams = new ResetStreams();
    this.window = new ReceiveWindow(Math.max(windowBytesDefault, options.initialConnectionWindowSize));
    this.isReceiving = false;
    this.outbound = new OutboundFrames(options);
    this.frameBytesMax = options.sentFrameBytesMax ?? sentFrameBytesMax;
    this.sendWindow = windowBytesDefault;
    this.isPumping = false;
    this.isFlooded = false;
    host.carriesMany?.();
  }

  /** The connection's outgoing buffer is full. */
  get isBlocked(): boolean {
    return this.writer.isBlocked;
  }

  /** Our half of the stream has left. */
  protected abstract sendEnded(stream: H2Stream): void;
  /** The last of a stream's message has been queued: its user will not look after it any more. */
  abstract endQueued(stream: H2Stream): void;
  /** Found while a stream's user writes: it must not be pulled from under its feet. */
  protected abstract failLater(failure: Failure): void;

  /** What was gathered leaves, unless more may come with the bytes that are being read. */
  flush(): void {
    if (this.writer.pendingBytes > gatheredBytesMax) this.writer.flush();
    else if (!this.isReceiving) this.writer.flushLater();
  }

  /** What a frame of this stream may hold now. */
  roomFor(stream: H2Stream): number {
    return Math.min(this.peer.maxFrameSize, this.frameBytesMax, stream.sendWindow, this.sendWindow);
  }

  /** As `roomFor`, for a stream that does not wait its turn; -1: it has to. */
  sendableBytes(stream: H2Stream): number {
    return this.writer.isBlocked || !this.scheduler.isIdle ? -1 : this.roomFor(stream);
  }

  sendData(stream: H2Stream, chunk: Uint8Array, end: boolean): void {
    stream.sendWindow -= chunk.length;
    this.sendWindow -= chunk.length;
    stream.wireBytesSent += frameHeaderBytes + chunk.length;
    this.writer.data(stream.id, chunk, end);
    this.guard.sentDataFrames++;
    this.countFrame(false);
    if (end) this.sendEnded(stream);
  }

  /** The block that was written since the writer's `beginHeaders` is the stream's. */
  sendHeaders(stream: H2Stream, end: boolean): void {
    const { writer } = this;
    const frames = writer.endHeaders(stream.id, end, this.peer.maxFrameSize);
    const size = writer.blockBytes + frames * frameHeaderBytes;
    stream.wireBytesSent += size;
    stream.headerBytesSent += size;
    for (let i = 0; i < frames; i++) this.countFrame(false);
    if (end) this.sendEnded(stream);
  }

  sendTrailers(stream: H2Stream, trailers: Headers): void {
    this.writer.beginHeaders();
    writeTrailers(this.writer, this.hpackEncoder, trailers);
    this.sendHeaders(stream, true);
  }

  sendWindowUpdate(streamId: number, increment: number): void {
    this.writer.windowUpdate(streamId, increment);
    this.countFrame(false);
  }

  /** So many bytes of DATA frames are done with: the connection's window opens again. */
  consume(bytes: number): void {
    const increment = this.window.consume(bytes);
    if (increment > 0) this.sendWindowUpdate(0, increment);
  }

  /** A slow stream keeps so many bytes: true, where the connection's window opens for others meanwhile. */
  hold(bytes: number): boolean {
    return this.options.heldBytes?.take(bytes) === true;
  }

  unhold(bytes: number): void {
    this.options.heldBytes?.give(bytes);
  }

  /** DATA waits in a stream. */
  enqueued(bytes: number): void {
    this.queuedBytes += bytes;
    this.options.counters.pendingSendBytes(bytes);
  }

  dequeued(bytes: number): void {
    if (bytes === 0) return;
    this.queuedBytes -= bytes;
    this.options.counters.pendingSendBytes(-bytes);
  }

  /** Sends what may be sent, a frame per stream in turn. */
  pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    const { scheduler, writer } = this;
    while (!scheduler.isIdle && this.sendWindow > 0 && !writer.isBlocked) {
      scheduler.step();
      if (writer.pendingBytes > gatheredBytesMax) writer.flush();
    }
    this.isPumping = false;
  }

  protected sendReset(streamId: number, code: ErrorCode): void {
    this.writer.resetStream(streamId, code);
    this.resetStreams.add(streamId, true);
    this.options.counters.count(H2Counter.TxReset);
    this.countFrame(true);
  }

  protected sendGoAway(lastStreamId: number, code: ErrorCode, debug: string): void {
    this.writer.goAway(lastStreamId, code, debug);
    this.countFrame(false);
  }

  /** `content[at, at + 8)`. */
  protected sendPing(isAck: boolean, content: Uint8Array, at: number): void {
    this.writer.ping(isAck, content, at);
    this.countFrame(isAck);
  }

  protected sendSettingsAck(): void {
    this.writer.settingsAck();
    this.countFrame(true);
  }

  /** Our settings, `first` in front, and the window of the connection. */
  protected sendSettings(first: readonly (readonly [number, number])[]): void {
    const { options, writer } = this;
    writer.settings([
      ...first,
      ...options.customSettings,
      [Setting.HeaderTableSize, options.hpackTableSize],
      [Setting.EnableConnectProtocol, options.allowConnect ? 1 : 0],
      [Setting.MaxConcurrentStreams, options.maxConcurrentStreams],
      [Setting.InitialWindowSize, options.initialStreamWindowSize],
    ]);
    const more = options.initialConnectionWindowSize - windowBytesDefault;
    if (more > 0) writer.windowUpdate(0, more);
  }

  /** A WINDOW_UPDATE of the connection. False: the window would be larger than windows are. */
  protected openSendWindow(increment: number): boolean {
    this.sendWindow += increment;
    return this.sendWindow <= int31Max;
  }

  /** The host has sent everything. */
  protected unblock(): void {
    this.writer.isBlocked = false;
    this.outbound.clear();
    this.pump();
    this.flush();
  }

  /** `isControl`: what a peer can make us send without opening streams. */
  private countFrame(isControl: boolean): void {
    const { outbound, writer, host } = this;
    outbound.add(isControl, writer.writtenBytes + writer.pendingBytes);
    if (!outbound.isSuspicious || this.isFlooded) return;
    writer.flush();
    const held = host.bufferedBytes ?? (writer.isBlocked ? Infinity : 0);
    this.isFlooded = outbound.isFlooded(writer.writtenBytes - held);
    if (this.isFlooded) this.failLater(OutboundFramesFlood);
  }
}
