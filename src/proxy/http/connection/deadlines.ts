/** The moments at which something happens to one downstream connection itself; Infinity: never. */
export class ConnectionDeadlines {
  /** When the codec wants a tick. */
  codecAt: number;
  /** Nothing was asked for too long. */
  idleAt: number;
  /** max_connection_duration. */
  drainAt: number;
  /** It is to end while idle. */
  closeAt: number;

  constructor() {
    this.codecAt = Infinity;
    this.idleAt = Infinity;
    this.drainAt = Infinity;
    this.closeAt = Infinity;
  }

  /** The earliest; two of them hold only while no stream is open. */
  next(isIdle: boolean): number {
    const always = Math.min(this.drainAt, this.codecAt);
    return isIdle ? Math.min(always, this.idleAt, this.closeAt) : always;
  }

  /** Whether the codec's tick is due. Each of these is true once. */
  takeCodec(now: number): boolean {
    if (this.codecAt > now) return false;
    this.codecAt = Infinity;
    return true;
  }

  takeDrain(now: number): boolean {
    if (this.drainAt > now) return false;
    this.drainAt = Infinity;
    return true;
  }

  takeIdle(now: number): boolean {
    if (this.idleAt > now) return false;
    this.idleAt = Infinity;
    return true;
  }

  takeClose(now: number): boolean {
    if (this.closeAt > now) return false;
    this.closeAt = Infinity;
    return true;
  }
}
