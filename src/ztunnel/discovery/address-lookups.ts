import type { Timed } from '../../core/clock.ts';
import type { Conversation } from '../../control/xds/protocol/conversation.ts';
import { Watch, type WatchUser } from '../../control/xds/protocol/watch.ts';
import type { OpenedResource, ResourceKind } from '../../control/xds/resource-kind.ts';
import type { Loop } from '../../net/loop.ts';
import type { AddressSource, LookupOutcome } from '../proxy/address-source.ts';

/** How long connections wait for istiod's answer: as long as for what it says of their own workload. */
export const lookupMs = 5000;

/** Names that are asked for at a time, answered or not. */
const subscriptionsMax = 100_000;

/** What comes is taken by whoever takes all that comes. */
const nobody: WatchUser = { onResources: () => '', onDelta: () => '', onRefused() {}, onStreamFailed() {} };

/** A name that istiod was asked for, and is asked for again on each stream. */
class Lookup implements Timed {
  readonly key: string;
  readonly watch: Watch;
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** Empty: it was answered. */
  waiting: ((outcome: LookupOutcome) => void)[];
  private readonly gaveUp: (lookup: Lookup) => void;

  constructor(key: string, kind: ResourceKind, gaveUp: (lookup: Lookup) => void) {
    this.key = key;
    this.watch = new Watch(kind, [key], nobody);
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.waiting = [];
    this.gaveUp = gaveUp;
  }

  tick(): void {
    this.gaveUp(this);
  }
}

/** Addresses that istiod is asked for one by one, each once however many want it, and left when they lead nowhere. */
export class AddressLookups implements AddressSource {
  private readonly conversation: Conversation;
  private readonly kind: ResourceKind;
  private readonly loop: Loop;
  private readonly knows: (key: string) => boolean;
  private readonly max: number;
  private readonly lookups: Map<string, Lookup>;
  /** Names of resources → what was asked for and led to them. */
  private readonly leading: Map<string, Set<Lookup>>;

  constructor(
    conversation: Conversation,
    kind: ResourceKind,
    loop: Loop,
    knows: (key: string) => boolean,
    max: number = subscriptionsMax,
  ) {
    this.conversation = conversation;
    this.kind = kind;
    this.loop = loop;
    this.knows = knows;
    this.max = max;
    this.lookups = new Map();
    this.leading = new Map();
  }

  /** Asked for now, answered or not. */
  get size(): number {
    return this.lookups.size;
  }

  request(key: string, tell: (outcome: LookupOutcome) => void): void {
    const known = this.lookups.get(key);
    if (this.knows(key)) tell('told');
    else if (known !== undefined) this.wait(known, tell);
    else if (this.lookups.size >= this.max) tell('full');
    else this.begin(key, tell);
  }

  /** What of a response is in the mesh now, and what istiod has no more or never had. */
  taken(set: readonly OpenedResource[], removed: readonly string[]): void {
    for (const { name, aliases } of set) {
      this.lookAgain(name);
      for (const key of [name, ...aliases]) this.answer(key, name);
    }
    for (const name of removed) {
      this.lookAgain(name);
      this.answer(name, name);
    }
  }

  private begin(key: string, tell: (outcome: LookupOutcome) => void): void {
    const lookup = new Lookup(key, this.kind, (late) => this.leave(late, 'late'));
    this.lookups.set(key, lookup);
    this.wait(lookup, tell);
    this.conversation.watch(lookup.watch);
  }

  private wait(lookup: Lookup, tell: (outcome: LookupOutcome) => void): void {
    const { loop } = this;
    if (lookup.waiting.push(tell) > 1) return;
    loop.enter();
    loop.timers.schedule(lookup, loop.clock.now + lookupMs);
    loop.leave();
  }

  private answer(key: string, name: string): void {
    const lookup = this.lookups.get(key);
    if (lookup === undefined) return;
    if (!this.knows(key)) {
      // Only who was left can be asked for again.
      this.leave(lookup, 'unknown');
      return;
    }
    const leading = this.leading.get(name);
    if (leading === undefined) this.leading.set(name, new Set([lookup]));
    else leading.add(lookup);
    this.finish(lookup, 'told');
  }

  /** What led to it may lead nowhere by now: its addresses have changed, or it is gone. */
  private lookAgain(name: string): void {
    const leading = this.leading.get(name);
    if (leading === undefined) return;
    for (const lookup of leading) {
      if (this.knows(lookup.key)) continue;
      leading.delete(lookup);
      this.leave(lookup, 'unknown');
    }
    if (leading.size === 0) this.leading.delete(name);
  }

  private leave(lookup: Lookup, outcome: LookupOutcome): void {
    if (this.lookups.get(lookup.key) === lookup) {
      this.lookups.delete(lookup.key);
      this.conversation.unwatch(lookup.watch);
    }
    this.finish(lookup, outcome);
  }

  private finish(lookup: Lookup, outcome: LookupOutcome): void {
    this.loop.timers.cancel(lookup);
    const { waiting } = lookup;
    lookup.waiting = [];
    for (const tell of waiting) tell(outcome);
  }
}
