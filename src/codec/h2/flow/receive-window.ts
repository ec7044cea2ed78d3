/**
 * How much the peer may send: of a stream, or of the connection (RFC 9113 section 5.2). What was consumed is announced
 * when it makes up half of the window, as oghttp2 does.
 */
export class ReceiveWindow {
  private readonly size: number;
  /** What the peer may still send, as far as it knows. */
  private available: number;
  /** Consumed, and not announced yet. */
  private consumed: number;

  constructor(size: number) {
    this.size = size;
    this.available = size;
    this.consumed = 0;
  }

  /** False: the peer sends more than it may. */
  receive(bytes: number): boolean {
    this.available -= bytes;
    return this.available >= 0;
  }

  /** The WINDOW_UPDATE that is due now; 0: none. */
  consume(bytes: number): number {
    this.consumed += bytes;
    const { consumed } = this;
    if (consumed * 2 < this.size) return 0;
    this.available += consumed;
    this.consumed = 0;
    return consumed;
  }
}
