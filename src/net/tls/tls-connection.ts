import type { Timed } from '../../core/clock.ts';
import type { ByteSource, Connection, ConnectionOwner, ConnectionSink } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedByPeer, DelayedCloseTimeout } from '../../core/failures.ts';
import { lentBytes } from '../../core/lent-bytes.ts';
import type { Flushable } from '../loop.ts';
import type { Handshake } from './handshake/handshake.ts';
import type { Pointer } from './open-ssl/open-ssl.ts';
import { takeTlsErrors } from './open-ssl/tls-error.ts';
import { ReadEnd } from './tls-reader.ts';
import { sliceBytesMax, type TlsEngine } from './tls-engine.ts';
import type { TlsPeer } from './tls-peer.ts';
import { TlsSender } from './tls-sender.ts';
import type { TlsTurns } from './tls-tools.ts';

/** How long the last record (an alert, close_notify) may take to leave. */
const farewellMs = 1000;

const sslWantsToRead = 2;

/** Leaving: all was said, and the peer's goodbye is waited for. */
const State = { Handshaking: 0, Open: 1, Leaving: 2, Over: 3 } as const;

/**
 * TLS over any connection. Writes are gathered until the turn ends and leave as few records; what arrives is decrypted at
 * once. Source: RFC 8446, and OpenSSL for how.
 */
export class TlsConnection implements Connection, ConnectionSink, Flushable, Timed {
  readonly id: number;
  readonly openedMs: number;
  peer: TlsPeer;
  owner: ConnectionOwner | null;
  bytesRead: number;
  bytesWritten: number;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly ssl: Pointer;
  readonly raw: Connection;
  private readonly engine: TlsEngine;
  private readonly turns: TlsTurns;
  readonly handshake: Handshake;
  private sink: ConnectionSink | null;
  private state: (typeof State)[keyof typeof State];
  private readonly sender: TlsSender;
  private source: ByteSource | null;
  private isDirty: boolean;
  private isEnding: boolean;
  private hasPeerEnded: boolean;
  /** Ciphertext that came while nobody wants to read. */
  private held: Uint8Array | null;
  private isRawPaused: boolean;
  private pauses: number;
  private isRawEnded: boolean;
  private closeWhenOpen: (() => void) | null;
  private failure: Failure | null;

  constructor(engine: TlsEngine, raw: Connection, ssl: Pointer, peer: TlsPeer, handshake: Handshake, turns: TlsTurns) {
    this.id = raw.id;
    this.openedMs = raw.openedMs;
    this.peer = peer;
    this.owner = null;
    this.bytesRead = 0;
    this.bytesWritten = 0;
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.ssl = ssl;
    this.raw = raw;
    this.engine = engine;
    this.turns = turns;
    this.handshake = handshake;
    this.sink = null;
    this.state = State.Handshaking;
    this.sender = new TlsSender(engine, ssl, raw, turns);
    this.source = null;
    this.isDirty = false;
    this.isEnding = false;
    this.hasPeerEnded = false;
    this.held = null;
    this.isRawPaused = false;
    this.pauses = 0;
    this.isRawEnded = false;
    this.closeWhenOpen = null;
    this.failure = null;
  }

  /** The handshake does not wait for somebody to be attached. A client speaks first. */
  begin(): void {
    this.raw.attach(this);
    if (this.handshake.isClient) this.work(null);
  }

  // Connection

  attach(sink: ConnectionSink): void {
    if (this.sink !== null) throw new Error('a connection is attached exactly once');
    this.sink = sink;
    if (this.held !== null || this.isRawEnded) this.markDirty();
    this.rest();
  }

  get bufferLimit(): number {
    return this.raw.bufferLimit;
  }

  set bufferLimit(bytes: number) {
    this.raw.bufferLimit = bytes;
  }

  get bufferedBytes(): number {
    return this.sender.bufferedBytes;
  }

  write(chunk: Uint8Array): boolean {
    if (this.state >= State.Leaving) return true;
    this.bytesWritten += chunk.length;
    if (this.state === State.Handshaking) this.sender.writeEarly(chunk);
    else this.sender.write(chunk);
    if (this.state === State.Open) this.markDirty();
    return this.sender.hasRoom();
  }

  writeLatin1(text: string): boolean {
    if (this.state >= State.Leaving) return true;
    this.bytesWritten += text.length;
    if (this.state === State.Handshaking) {
      this.sender.writeEarly(text);
    } else {
      this.sender.writeLatin1(text);
      this.markDirty();
    }
    return this.sender.hasRoom();
  }

  end(): void {
    if (this.isEnding || this.state >= State.Leaving) return;
    this.isEnding = true;
    this.markDirty();
  }

  reset(failure: Failure): void {
    this.giveUp(failure);
    this.raw.reset(failure);
  }

  /** As Envoy, says goodbye if that can leave at once. */
  destroy(failure: Failure): void {
    const mayNotify = this.state === State.Open && this.raw.bufferedBytes === 0;
    this.giveUp(failure);
    if (mayNotify) {
      this.sender.notify();
      this.raw.closeAfterFlush(farewellMs, failure);
    } else {
      this.raw.destroy(failure);
    }
  }

  endAndLinger(lingerMs: number, failure: Failure): void {
    if (this.waitsToSend(() => this.endAndLinger(lingerMs, failure), lingerMs)) return;
    if (this.state !== State.Open || this.hasPeerEnded) {
      this.closeAfterFlush(lingerMs, failure);
      return;
    }
    this.finish();
    this.giveUp(failure);
    this.state = State.Leaving;
    // Bytes of a peer that we no longer listen to are read and dropped, or its end would never be seen.
    this.rest();
    this.turns.timers.schedule(this, this.turns.clock.now + lingerMs);
  }

  closeAfterFlush(stallMs: number, failure: Failure): void {
    if (this.waitsToSend(() => this.closeAfterFlush(stallMs, failure), stallMs)) return;
    this.finish();
    this.giveUp(failure);
    this.raw.closeAfterFlush(stallMs, failure);
  }

  flushLater(source: ByteSource): void {
    this.source = source;
    this.markDirty();
  }

  carriesMany(): void {
    this.raw.carriesMany?.();
  }

  pause(): void {
    this.pauses++;
    this.rest();
  }

  resume(): void {
    if (this.pauses === 0 || --this.pauses > 0) return;
    if (this.held === null && !this.isRawEnded) this.rest();
    else this.markDirty();
  }

  // ConnectionSink

  onBytes(chunk: Uint8Array): void {
    if (this.state === State.Over) {
      lentBytes.settle(chunk, chunk.length);
    } else if (
      this.held !== null ||
      this.isResting ||
      (this.state === State.Handshaking && !this.handshake.mayWork(this))
    ) {
      this.hold(chunk);
    } else {
      this.work(chunk);
    }
  }

  onDrain(): void {
    this.fellBelow();
  }

  /** Without close_notify before it, the peer's data may have been cut short: it gets no more of ours. */
  onEnd(): void {
    if (this.state === State.Handshaking) {
      this.state = State.Over;
      this.failure = this.handshake.onFailed(this, '');
      this.raw.destroy(this.failure);
      return;
    }
    this.isRawEnded = true;
    if (this.state === State.Leaving) this.left();
    else if (this.held === null && this.state === State.Open) this.transportEnded();
  }

  onClosed(failure: Failure): void {
    if (this.state === State.Handshaking) this.failure ??= this.handshake.onFailed(this, '', failure);
    this.state = State.Over;
    this.turns.timers.cancel(this);
    this.handshake.onOver(this);
    this.engine.ssl.SSL_free(this.ssl);
    this.sink?.onClosed(this.failure ?? failure);
    this.owner?.onConnectionClosed(this);
  }

  // Flushable

  flush(): void {
    this.takeSource();
    this.isDirty = false;
    if (this.state === State.Over) return;
    if (this.held !== null && !this.isResting) this.workOnHeld();
    if (this.state !== State.Open) return;
    this.sender.flush();
    if (this.isEnding) this.shutWrite();
    if (this.sender.isAboveHighWatermark && this.sender.hasRoomBelow) this.fellBelow();
    if (this.isRawEnded && this.held === null && this.pauses === 0) this.transportEnded();
  }

  /** The handshake takes too long, or the peer does not leave. */
  tick(): void {
    if (this.state === State.Leaving) {
      this.failure = DelayedCloseTimeout;
      this.state = State.Over;
      this.raw.destroy(DelayedCloseTimeout);
    }
    if (this.state !== State.Handshaking) return;
    const failure = this.handshake.onTimeout(this);
    this.giveUp(failure);
    this.raw.destroy(failure);
  }

  /** It was told to wait for its turn; now it may. */
  continueHandshake(): void {
    if (this.state === State.Handshaking && this.held !== null) this.workOnHeld();
  }

  // Reading

  /** Somebody wants bytes and can have them, or does not. While the handshake goes on, nobody is asked. */
  private get isResting(): boolean {
    return this.state === State.Open && (this.pauses > 0 || this.sink === null);
  }

  /** Nothing is read from the transport that would only be held. */
  private rest(): void {
    const shouldPause = this.isResting || this.held !== null;
    if (shouldPause === this.isRawPaused) return;
    this.isRawPaused = shouldPause;
    if (shouldPause) this.raw.pause();
    else this.raw.resume();
  }

  private hold(chunk: Uint8Array): void {
    this.held = this.held === null ? chunk : Buffer.concat([this.held, chunk]);
    this.rest();
  }

  private workOnHeld(): void {
    const held = this.held!;
    this.held = null;
    this.work(held);
    this.rest();
  }

  /** Gives OpenSSL what arrived (null: nothing, it speaks first), a slice at a time. */
  private work(chunk: Uint8Array | null): void {
    const size = chunk === null ? 0 : chunk.length;
    let at = 0;
    do {
      const from = at;
      if (chunk !== null) {
        at = Math.min(size, from + sliceBytesMax);
        const slice = from === 0 && at === size ? chunk : chunk.subarray(from, at);
        this.engine.put(slice);
        lentBytes.settle(chunk, slice.length);
      }
      this.workOnInput(at - from);
    } while (at < size && this.state !== State.Over && !this.isResting);
    if (at === size || chunk === null) return;
    if (this.state === State.Over) lentBytes.settle(chunk, size - at);
    else this.hold(chunk.subarray(at));
  }

  private workOnInput(sliceBytes: number): void {
    const { engine } = this;
    const outer = engine.current;
    engine.current = this;
    if (this.state === State.Handshaking) {
      engine.ssl.ERR_clear_error();
      const began = performance.now();
      this.shake();
      this.handshake.spent(performance.now() - began);
    }
    const isWanted = this.state === State.Open ? !this.isResting : this.state === State.Leaving;
    const size = isWanted ? this.read(sliceBytes) : 0;
    // What nobody wants yet must not lie in the way of others.
    if (this.state === State.Open && this.isResting && size === 0) this.holdInput();
    engine.current = outer;
  }

  private holdInput(): void {
    const rest = this.engine.takeBack();
    if (rest !== null) this.hold(rest);
  }

  private shake(): void {
    const { engine, ssl } = this;
    const result = engine.ssl.SSL_do_handshake(ssl);
    if (result === 1) {
      this.sender.sendOutput();
      this.secured();
    } else if (engine.ssl.SSL_get_error(ssl, result) === sslWantsToRead) {
      this.sender.sendOutput();
    } else {
      this.failHandshake();
    }
  }

  private failHandshake(): void {
    const { engine } = this;
    // The alert that says why.
    this.sender.sendOutput();
    const errors = takeTlsErrors(engine.ssl, this.peer.verification);
    engine.clear();
    this.state = State.Over;
    this.failure = this.handshake.onFailed(this, errors);
    this.raw.closeAfterFlush(farewellMs, this.failure);
  }

  private secured(): void {
    this.state = State.Open;
    this.turns.timers.cancel(this);
    this.handshake.onSecured(this);
    this.sender.sendEarly();
    this.markDirty();
    this.rest();
    this.closeWhenOpen?.();
  }

  /** Decrypts all that can be of what was put in, and passes it on. */
  private read(sliceBytes: number): number {
    const { engine, ssl } = this;
    const plain = engine.plainFor(sliceBytes);
    const { reader } = engine;
    const end = reader.read(ssl, plain);
    const { size, errors } = reader;
    // Answers of OpenSSL's own: to a key update, or the alert that says why no more is read.
    this.sender.sendOutput();
    // Behind the end nothing is read: it must not lie in the way of others.
    if (end !== ReadEnd.Waiting) engine.clear();
    if (size > 0 && this.state === State.Open) {
      this.bytesRead += size;
      reader.give(plain, size, this.sink!, this.turns);
    } else {
      plain.giveBack();
    }
    if (end === ReadEnd.Broken) this.break(errors);
    else if (end === ReadEnd.Closed) this.peerEnded();
    return size;
  }

  /** Something that is no TLS, or was tampered with. */
  private break(errors: string): void {
    if (this.state === State.Over) return;
    this.state = State.Over;
    this.failure = ClosedByPeer.with(errors);
    this.handshake.onBroken();
    this.raw.closeAfterFlush(farewellMs, this.failure);
  }

  /** close_notify. */
  private peerEnded(): void {
    if (this.hasPeerEnded || this.state === State.Over) return;
    this.hasPeerEnded = true;
    if (this.state === State.Leaving) {
      this.left();
      return;
    }
    this.sink!.onEnd();
    if (this.sender.hasNotified) this.closeWhole();
  }

  /** What was waited for after all was said. */
  private left(): void {
    this.state = State.Over;
    this.raw.closeAfterFlush(farewellMs, this.failure!);
  }

  private transportEnded(): void {
    if (this.hasPeerEnded || this.state === State.Over) return;
    this.hasPeerEnded = true;
    this.sink?.onEnd();
    this.finish();
    this.closeWhole();
  }

  // Writing

  private takeSource(): void {
    const { source } = this;
    this.source = null;
    source?.flush();
  }

  private fellBelow(): void {
    if (!this.sender.isAboveHighWatermark || this.state >= State.Leaving) return;
    this.sender.isAboveHighWatermark = false;
    this.sink?.onDrain();
  }

  private shutWrite(): void {
    if (this.sender.hasNotified) return;
    this.sender.notify();
    if (this.hasPeerEnded) this.closeWhole();
    else this.raw.end();
  }

  /** Both halves are over. */
  private closeWhole(): void {
    this.giveUp(ClosedByPeer);
    this.raw.closeAfterFlush(farewellMs, ClosedByPeer);
  }

  /** Everything that was written leaves, and close_notify behind it. */
  private finish(): void {
    this.takeSource();
    if (this.state !== State.Open) return;
    this.sender.flush();
    this.sender.notify();
  }

  // Ends

  /** What was written leaves only after the handshake; then `close` is run. */
  private waitsToSend(close: () => void, waitMs: number): boolean {
    if (this.state !== State.Handshaking || !this.sender.hasEarly) return false;
    this.closeWhenOpen = close;
    const latest = this.turns.clock.now + waitMs;
    if (this.deadline > latest) this.turns.timers.schedule(this, latest);
    return true;
  }

  private giveUp(failure: Failure): void {
    if (this.state === State.Over) return;
    if (this.state === State.Handshaking) this.handshake.onAbandoned(this);
    this.state = State.Over;
    this.failure ??= failure;
    this.sender.discard();
    this.held = null;
  }

  private markDirty(): void {
    if (this.isDirty || this.state >= State.Leaving) return;
    this.isDirty = true;
    this.turns.markDirty(this);
  }
}
