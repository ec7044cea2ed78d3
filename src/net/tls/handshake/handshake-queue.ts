import type { Timed } from '../../../core/clock.ts';
import type { Flushable } from '../../loop.ts';
import type { TlsConnection } from '../tls-connection.ts';
import type { TlsTurns } from '../tls-tools.ts';

/** Signing takes 30 µs to 2 ms: this much of a turn may go into handshakes of servers before others have theirs. */
const turnBudgetMs = 2;

/** So many clients of a thread may be at their handshakes; Envoy has no such limit. */
const pendingMax = 16_384;

/**
 * Handshakes of a thread, a few in each turn of its loop: a storm of them makes who connects wait, not the requests that
 * are under way.
 */
export class HandshakeQueue implements Flushable, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly turns: TlsTurns;
  private waiting: TlsConnection[];
  private spentMs: number;
  private isMarked: boolean;
  private pending: number;

  constructor(turns: TlsTurns) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.turns = turns;
    this.waiting = [];
    this.spentMs = 0;
    this.isMarked = false;
    this.pending = 0;
  }

  get isFull(): boolean {
    return this.pending >= pendingMax;
  }

  began(): void {
    this.pending++;
  }

  ended(): void {
    this.pending--;
  }

  /** False: `continueHandshake` follows in a later turn. */
  mayWork(connection: TlsConnection): boolean {
    if (this.waiting.length === 0 && this.spentMs < turnBudgetMs) return true;
    if (!this.waiting.includes(connection)) this.waiting.push(connection);
    this.mark();
    return false;
  }

  /** A piece of a handshake took so long. */
  spent(ms: number): void {
    this.spentMs += ms;
    this.mark();
  }

  /** The turn ends. */
  flush(): void {
    this.isMarked = false;
    this.spentMs = 0;
    if (this.waiting.length > 0) this.turns.timers.schedule(this, this.turns.clock.now);
  }

  /** The next turn has begun. */
  tick(): void {
    const { waiting } = this;
    let taken = 0;
    while (taken < waiting.length && this.spentMs < turnBudgetMs) {
      const began = performance.now();
      waiting[taken++].continueHandshake();
      this.spentMs += performance.now() - began;
    }
    this.waiting = waiting.slice(taken);
    this.mark();
  }

  private mark(): void {
    if (this.isMarked) return;
    this.isMarked = true;
    this.turns.markDirty(this);
  }
}

const queues = new WeakMap<TlsTurns, HandshakeQueue>();

/** The one of a thread. */
export function handshakeQueue(turns: TlsTurns): HandshakeQueue {
  let queue = queues.get(turns);
  if (queue === undefined) queues.set(turns, (queue = new HandshakeQueue(turns)));
  return queue;
}
