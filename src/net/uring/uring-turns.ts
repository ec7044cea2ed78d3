import type { Loop, Turns } from '../loop.ts';
import { openLibc } from './libc.ts';
import { CompletionFlag, Op, type Ring, type RingUser } from './ring.ts';

/**
 * How long the thread may wait in the ring. Whatever Node's own loop watches ends the wait; only its timers do not, so
 * they may be late by this much. A thread that carries traffic has none that would mind.
 */
const waitMsMax = 100;

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

/**
 * The turns of a thread whose sockets are in a ring: read what completed, run timers, send, give Node's loop one round,
 * wait in the ring. The wait ends as well when something comes up that Node's loop watches (a message of the main
 * thread, a DNS answer), because the ring polls that loop's own epoll descriptor.
 */
export class UringTurns implements Turns, RingUser {
  private readonly ring: Ring;
  private readonly slot: number;
  private readonly nodeLoop: number;
  private postponed: Postponed[];
  private isRunning: boolean;
  private loop: Loop | null;
  private readonly turn: () => void;

  constructor(ring: Ring) {
    const libc = openLibc();
    this.ring = ring;
    this.slot = ring.enlist(this);
    this.nodeLoop = libc.backendFd(libc.currentLoop());
    this.postponed = [];
    this.isRunning = false;
    this.loop = null;
    this.turn = () => this.run(this.loop!);
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

  onCompletion(_what: number, _result: number, flags: number): void {
    if ((flags & CompletionFlag.More) === 0) this.watchNode();
  }

  private run(loop: Loop): void {
    if (!this.isRunning) return;
    // What Node's round has written, before anybody waits.
    this.finish(loop);
    const wait = Math.min(loop.timers.nextKey - loop.clock.now, waitMsMax);
    this.ring.enter(wait < waitMsMin || this.postponed.length > 0 ? 0 : wait);
    loop.enter();
    this.ring.complete();
    this.finish(loop);
    setImmediate(this.turn);
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
