/** How far apart turns are that gather: the most that one adds to what a message takes. */
export const gatheringMs = 0.2;

/** The same where turns are busy for a third of the time and more: there what is saved is what others wait for. */
export const busyGatheringMs = 0.4;
const busyFactor = 3;

/** So many completions are a batch worth beginning with at once. */
export const completionsEnough = 64;

/** Reads of shared connections in a turn that make gathering worth while. */
const readsWorth = 4;

/** Turns between trials; the pause doubles with every one that shows nothing. */
const pauseMin = 16;
const pauseMax = 4096;

/**
 * Whether a thread's turns let completions gather before they look at them, as network cards do with interrupts.
 *
 * On a connection that carries many messages at a time (HTTP/2) answers come singly as long as we are quicker than our
 * peers: each costs a wake-up, a read and a write, and its peers the same, while a batch costs that once. Nothing is
 * gained where every connection has one message under way, and a client with one request must not wait, so only reads
 * of shared connections count, and only trials tell: gathering goes on as long as a turn finds several.
 */
export class Gathering {
  /** Reads of shared connections in this turn. */
  reads: number;
  isOn: boolean;
  private beganMs: number;
  private pause: number;
  private turnsLeft: number;

  constructor() {
    this.reads = 0;
    this.isOn = false;
    this.beganMs = -Infinity;
    this.pause = pauseMin;
    this.turnsLeft = pauseMin;
  }

  /** How long completions may gather from `now` on, the turn's end; 0 or less: they have had the time. */
  leftMs(now: number): number {
    const busyMs = now - this.beganMs;
    return Math.min(busyGatheringMs, Math.max(gatheringMs, busyMs * busyFactor)) - busyMs;
  }

  /** A turn that began at `now` has told everybody what had completed. */
  endTurn(now: number): void {
    const { reads } = this;
    this.reads = 0;
    this.beganMs = now;
    if (!this.isOn) {
      if (reads > 0 && --this.turnsLeft <= 0) this.isOn = true;
    } else if (reads >= readsWorth) {
      this.pause = pauseMin;
    } else {
      this.isOn = false;
      this.turnsLeft = this.pause;
      this.pause = Math.min(pauseMax, this.pause * 2);
    }
  }
}
