import { readFileSync, readdirSync } from 'node:fs';
import { monitorEventLoopDelay, type ELDHistogram } from 'node:perf_hooks';

const resolutionMs = 5;

/**
 * How long some processes, and this one, have been ready to run and did not: what rows say of short times is then
 * the machine's doing. Where the system does not tell (`/proc/<pid>/task/<tid>/schedstat`), nobody has waited.
 */
export class Starvation {
  private readonly pids: readonly number[];
  private readonly before: ReadonlyMap<string, number>;
  private readonly loop: ELDHistogram;

  constructor(pids: readonly number[]) {
    this.pids = pids;
    this.before = waits(pids);
    this.loop = monitorEventLoopDelay({ resolution: resolutionMs });
    this.loop.enable();
  }

  /** Milliseconds since it was made, of the thread that waited longest. Ends the watch. */
  end(): number {
    this.loop.disable();
    let longest = Math.max(0, this.loop.max / 1e6 - resolutionMs);
    for (const [thread, waited] of waits(this.pids)) {
      longest = Math.max(longest, waited - (this.before.get(thread) ?? 0));
    }
    return longest;
  }
}

/** Milliseconds that each thread has waited for a processor in its life. */
function waits(pids: readonly number[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const pid of pids) {
    const folder = `/proc/${pid}/task`;
    try {
      for (const thread of readdirSync(folder)) {
        const [, waitedNs] = readFileSync(`${folder}/${thread}/schedstat`, 'latin1').split(' ');
        result.set(thread, Number(waitedNs) / 1e6);
      }
    } catch {
      // The process or the thread has ended, or there is no such folder.
    }
  }
  return result;
}
