/** First in, first out; anybody may leave at any time. All O(1), amortised. */
export class WaitingLine<Waiter extends object> {
  /** Null: has left. */
  private readonly places: (Waiter | null)[];
  private readonly placeOf: Map<Waiter, number>;
  /** Index of `places[0]` since the beginning. */
  private offset: number;
  private head: number;

  constructor() {
    this.places = [];
    this.placeOf = new Map();
    this.offset = 0;
    this.head = 0;
  }

  get size(): number {
    return this.placeOf.size;
  }

  push(waiter: Waiter): void {
    this.placeOf.set(waiter, this.offset + this.places.length);
    this.places.push(waiter);
  }

  /** Takes the longest waiting; null: nobody waits. */
  shift(): Waiter | null {
    while (this.head < this.places.length) {
      const waiter = this.places[this.head]!;
      this.places[this.head++] = null;
      if (waiter === null) continue;
      this.placeOf.delete(waiter);
      this.compact();
      return waiter;
    }
    this.compact();
    return null;
  }

  /** False: was not waiting here. */
  leave(waiter: Waiter): boolean {
    const place = this.placeOf.get(waiter);
    if (place === undefined) return false;
    this.placeOf.delete(waiter);
    this.places[place - this.offset] = null;
    return true;
  }

  /** Forgets the places before the head once they are the greater half. */
  private compact(): void {
    if (this.head === 0 || this.head * 2 < this.places.length) return;
    this.places.splice(0, this.head);
    this.offset += this.head;
    this.head = 0;
  }
}
