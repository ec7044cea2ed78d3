import { H2Counter } from '../counters.ts';
import type { H2Options } from '../options.ts';

/** Frames are counted in batches: so many make up a limit. */
const batchesPerLimit = 16;

interface Batch {
  /** Bytes written when the batch was closed. */
  endBytes: number;
  frames: number;
  controlFrames: number;
}

/**
 * Frames that the host has not passed on yet (`max_outbound_frames`, `max_outbound_control_frames`). Control frames are
 * what a peer can make us send: acknowledgements and RST_STREAM. A batch has gone when all of its bytes have, so a
 * limit may be overrun by a sixteenth and is never enforced early.
 */
export class OutboundFrames {
  private readonly options: H2Options;
  private readonly batchFrames: number;
  private batches: Batch[];
  private frames: number;
  private controlFrames: number;

  constructor(options: H2Options) {
    this.options = options;
    const smallest = Math.min(options.maxOutboundFrames, options.maxOutboundControlFrames);
    this.batchFrames = Math.max(1, Math.floor(smallest / batchesPerLimit));
    this.batches = [];
    this.frames = 0;
    this.controlFrames = 0;
  }

  /** `writtenBytes`: in all, this frame included. */
  add(isControl: boolean, writtenBytes: number): void {
    this.frames++;
    if (isControl) this.controlFrames++;
    const last = this.batches.at(-1);
    if (last === undefined || last.frames >= this.batchFrames) {
      this.batches.push({ endBytes: writtenBytes, frames: 1, controlFrames: isControl ? 1 : 0 });
      return;
    }
    last.endBytes = writtenBytes;
    last.frames++;
    if (isControl) last.controlFrames++;
  }

  /** Everything has gone. */
  clear(): void {
    if (this.frames === 0) return;
    this.batches = [];
    this.frames = 0;
    this.controlFrames = 0;
  }

  /** May be too many; `sentBytes` decides. */
  get isSuspicious(): boolean {
    const { options } = this;
    return this.frames > options.maxOutboundFrames || this.controlFrames > options.maxOutboundControlFrames;
  }

  /** `sentBytes`: what the host has passed on of all that was written. True: a limit is overrun. */
  isFlooded(sentBytes: number): boolean {
    const { batches, options } = this;
    let gone = 0;
    while (gone < batches.length && batches[gone].endBytes <= sentBytes) {
      this.frames -= batches[gone].frames;
      this.controlFrames -= batches[gone].controlFrames;
      gone++;
    }
    batches.splice(0, gone);
    const partial = batches.length > 1 ? batches[0] : null;
    if (this.frames - (partial?.frames ?? 0) > options.maxOutboundFrames) {
      options.counters.count(H2Counter.OutboundFlood);
      return true;
    }
    if (this.controlFrames - (partial?.controlFrames ?? 0) > options.maxOutboundControlFrames) {
      options.counters.count(H2Counter.OutboundControlFlood);
      return true;
    }
    return false;
  }
}
