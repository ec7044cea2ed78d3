/** Who waits to send DATA. */
export interface Sender {
  /** Neighbours in the ring of waiting senders; null outside. Owned by the scheduler. */
  nextSender: Sender | null;
  previousSender: Sender | null;
  /** Sends at most one frame. False: nothing more can be sent now (its window or its queue is empty). */
  sendFrame(): boolean;
}

/**
 * Streams that have DATA and a window take turns, a frame each, so that a large message holds nobody up: a ring, in
 * which whoever has sent goes to the end.
 */
export class SendScheduler {
  private head: Sender | null;

  constructor() {
    this.head = null;
  }

  get isIdle(): boolean {
    return this.head === null;
  }

  /** At the end of the ring, if it is not in it. */
  add(sender: Sender): void {
    if (sender.nextSender !== null) return;
    const { head } = this;
    if (head === null) {
      sender.nextSender = sender;
      sender.previousSender = sender;
      this.head = sender;
      return;
    }
    const tail = head.previousSender!;
    sender.nextSender = head;
    sender.previousSender = tail;
    tail.nextSender = sender;
    head.previousSender = sender;
  }

  remove(sender: Sender): void {
    const { nextSender, previousSender } = sender;
    if (nextSender === null) return;
    if (nextSender === sender) this.head = null;
    else {
      previousSender!.nextSender = nextSender;
      nextSender.previousSender = previousSender;
      if (this.head === sender) this.head = nextSender;
    }
    sender.nextSender = null;
    sender.previousSender = null;
  }

  /** One frame of whose turn it is. */
  step(): void {
    const sender = this.head!;
    this.head = sender.nextSender;
    if (!sender.sendFrame()) this.remove(sender);
  }
}
