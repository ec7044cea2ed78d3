import { resetStreamsRemembered } from './limits.ts';

/**
 * Streams that ended by RST_STREAM, the last of them: frames that were on their way then are no fault of the peer's
 * (RFC 9113 section 5.1, "closed").
 */
export class ResetStreams {
  private readonly byUs: Map<number, boolean>;

  constructor() {
    this.byUs = new Map();
  }

  add(streamId: number, byUs: boolean): void {
    const { byUs: map } = this;
    if (map.size >= resetStreamsRemembered) map.delete(map.keys().next().value!);
    map.set(streamId, byUs);
  }

  /** Null: the stream ended otherwise, or long ago. */
  wasByUs(streamId: number): boolean | null {
    return this.byUs.get(streamId) ?? null;
  }
}
