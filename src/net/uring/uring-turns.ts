import type { Loop, Turns } from '../loop.ts';
import { completionsEnough, Gathering } from './gathering.ts';
import { openLibc } from './libc.ts';
import { CompletionFlag, Op, type Ring, type RingUser } from './ring.ts';

/**
 * How long the thread may wait in the ring. Whatever Node's own loop watches ends the wait; only its timers do not, so
 * they may be late by this much. A thread that carries traffic has none that would mind.
 */
const defaultWaitMsMax = 100;

/** As long as only sockets in the ring have events, Node's loop gets its round this often. */
const stayMsMax = 5;

/** Less is no wait at all. */
const waitMsMin = 0.05;

/** What is postponed again and again waits for the next turn. */
const roundsMax = 8;

const pollIn = 1;
const pollMultishot = 1;
const nodesEvents = 1;

/** Who has something to do after everything that arrived was read, and before the turn's end. */
export interface Postponed {
  afterReading(): void;
}

/** Runs what `process.nextTick` and promises have queued. Node has it for its own timers; not documented. */
const runTicks = (process as unknown as { _tickCallback?: () => void })._tickCallback;

/**
 * The turns of a thread whose sockets are in a ring: wait in the ring, read what completed, run timers, send. The wait
 * ends as well when something comes up that Node's loop watches (a message of the main thread, an answer of its thread
 * pool), because the ring polls that loop's own epoll descriptor. Node's loop gets a round then, and every few
 * milliseconds; a round for each turn would cost a fifth of a request on a connection that is alone.
 *
 * So what is begun in a turn and needs Node's loop to begin (a timer, say) may be late, by `waitMsMax` at most; where a
 * thread has sockets of Node's, it says `shareWithNode`. See docs/decisions/0008-io-uring.md.
 */
export class UringTurns implements Turns, RingUser {
  readonly gathering: Gathering;
  private readonly ring: Ring;
  private readonly slot: number;
  private readonly waitMsMax: number;
  private readonly nodeLoop: number;
  private postponed: Postponed[];
  private isRunning: boolean;
  private isShared: boolean;
  private isNodeWaiting: boolean;
  private loop: Loop | null;
  private readonly turn: () => void;
  private readonly refresh: () => void;

  constructor(ring: Ring, waitMsMax = defaultWaitMsMax) {
    const libc = openLibc();
    this.gathering = new Gathering();
    this.ring = ring;
    this.waitMsMax = waitMsMax;
    this.slot = ring.enlist(this);
    this.nodeLoop = libc.backendFd(libc.currentLoop());
    this.postponed = [];
    this.isRunning = false;
    this.isShared = runTicks === undefined;
    this.isNodeWaiting = false;
    this.loop = null;
    this.turn = () => this.run(this.loop!);
    this.refresh = () => this.loop!.enter();
    this.watchNode();
  }

  start(loop: Loop): void {
    this.loop = loop;
    this.isRunning = true;
    setImmediate(this.turn);
  }

  stop(): void {
    this.isRunning = false;
  }

  /** Every turn ends by itself. */
  askForEnd(): void {}

  /** Every wait looks at the heap. */
  wakeIn(): void {}

  postpone(postponed: Postponed): void {
    this.postponed.push(postponed);
  }

  /** From now on the thread has sockets of Node's too: its loop gets a round in each turn. */
  shareWithNode(): void {
    this.isShared = true;
  }

  onCompletion(_what: number, _result: number, flags: number): void {
    this.isNodeWaiting = true;
    if ((flags & CompletionFlag.More) === 0) this.watchNode();
  }

  private run(loop: Loop): void {
    if (!this.isRunning) return;
    this.isNodeWaiting = this.isShared;
    // What Node's round has written, before anybody waits.
    this.finish(loop);
    const leaveAt = loop.clock.now + stayMsMax;
    let isBusy: boolean;
    do {
      this.wait(Math.min(loop.timers.nextKey - loop.clock.now, this.waitMsMax));
      loop.enter();
      const beganMs = loop.clock.now;
      isBusy = this.ring.complete(this.refresh) > 0;
      this.gathering.endTurn(beganMs);
      this.finish(loop);
      runTicks?.();
    } while (isBusy && !this.isNodeWaiting && this.isRunning && loop.clock.now < leaveAt);
    setImmediate(this.turn);
  }

  private wait(ms: number): void {
    const { ring, gathering } = this;
    if (ms < waitMsMin || this.postponed.length > 0) {
      ring.enter(0);
      return;
    }
    const gatherMs = gathering.isOn ? gathering.leftMs(performance.now()) : 0;
    if (gatherMs < waitMsMin) ring.enter(ms);
    else ring.enter(Math.min(ms, gatherMs), completionsEnough);
  }

  private finish(loop: Loop): void {
    loop.enter();
    this.runPostponed();
    if (loop.timers.nextKey <= loop.clock.now) loop.timers.run(loop.clock.now);
    loop.endTurn();
    // A flush may have closed something: that is told in this turn, and what it makes others write is sent.
    for (let round = 0; round < roundsMax && this.postponed.length > 0; round++) {
      this.runPostponed();
      loop.endTurn();
    }
  }

  private runPostponed(): void {
    const { postponed } = this;
    for (let i = 0; i < postponed.length; i++) postponed[i].afterReading();
    postponed.length = 0;
  }

  private watchNode(): void {
    this.ring.request(Op.PollAdd, this.nodeLoop, 0, 0, 0, pollMultishot, pollIn, this.slot, nodesEvents);
  }
}
