import type { AddressSource, LookupOutcome } from '../proxy/address-source.ts';

/** Connections of a thread that wait for answers. */
const waitingMax = 10_000;

/** A thread's questions: the main thread asks istiod, once for however many wait here. It bounds the time too. */
export class ThreadLookups implements AddressSource {
  private readonly ask: (key: string) => void;
  private readonly waiting: Map<string, ((outcome: LookupOutcome) => void)[]>;
  private readonly max: number;
  private count: number;

  constructor(ask: (key: string) => void, max: number = waitingMax) {
    this.ask = ask;
    this.max = max;
    this.waiting = new Map();
    this.count = 0;
  }

  request(key: string, tell: (outcome: LookupOutcome) => void): void {
    if (this.count >= this.max) {
      tell('full');
      return;
    }
    this.count++;
    const others = this.waiting.get(key);
    if (others !== undefined) {
      others.push(tell);
      return;
    }
    this.waiting.set(key, [tell]);
    this.ask(key);
  }

  answered(key: string, outcome: LookupOutcome): void {
    const waiting = this.waiting.get(key) ?? [];
    this.waiting.delete(key);
    this.count -= waiting.length;
    for (const tell of waiting) tell(outcome);
  }
}
