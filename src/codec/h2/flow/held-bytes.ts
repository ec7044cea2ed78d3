/**
 * Bytes that readers hold back while their connections' windows open all the same: a slow reader then stalls its own
 * stream alone, and none beside it on the connection. Shared by many connections, so that all of them together hold no
 * more than `max`; beyond that a slow reader closes its connection's window, as without.
 */
export class HeldBytes {
  private readonly max: number;
  private held: number;

  constructor(max: number) {
    this.max = max;
    this.held = 0;
  }

  get bytes(): number {
    return this.held;
  }

  /** False: there is no room. */
  take(bytes: number): boolean {
    if (this.held + bytes > this.max) return false;
    this.held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.held -= bytes;
  }
}
