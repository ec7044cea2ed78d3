import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for a loaded machine: only a failure waits this long. */
const waitMsMax = 40_000;
const pollMs = 5;

/** Asks again and again until the answer is neither undefined nor false. @throws Error naming `what` when it never is. */
export async function until<T>(what: string, probe: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + waitMsMax;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(pollMs);
  }
}

/** `promise`, or an error that names `what` when it does not come. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), waitMsMax);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
