import type { Log } from '../../observe/log/log.ts';
import type { Certified } from './ca-client.ts';
import { GrowingWait, type Later } from './later.ts';

/** How early a certificate is asked for anew. */
export interface Renewal {
  /** Of its life, what is left when it is renewed (SECRET_GRACE_PERIOD_RATIO). */
  readonly graceRatio: number;
  /** By chance more or less of it (SECRET_GRACE_PERIOD_RATIO_JITTER). */
  readonly graceJitter: number;
}

/** Milliseconds until a certificate that was made at `madeMs` is to be renewed. */
export function renewalDelayMs(
  madeMs: number,
  expiresMs: number,
  nowMs: number,
  { graceRatio, graceJitter }: Renewal,
  random: () => number,
): number {
  const ratio = Math.min(1, Math.max(0, graceRatio + graceJitter * (2 * random() - 1)));
  return Math.max(0, expiresMs - (expiresMs - madeMs) * ratio - nowMs);
}

export interface WorkloadCertificateOptions {
  readonly certify: () => Promise<Certified>;
  readonly renewal: Renewal;
  readonly later: Later;
  readonly random: () => number;
  readonly log: Log;
  /** @param hasNewRoots what is trusted is not what it was */
  readonly onChanged: (certified: Certified, hasNewRoots: boolean) => void;
}

/**
 * The workload's certificate: asked for until there is one, and again in the middle of its life. One that cannot be
 * renewed stays until it is, and ends by itself.
 */
export class WorkloadCertificate {
  current: Certified | null;
  private readonly options: WorkloadCertificateOptions;
  private readonly wait: GrowingWait;
  private callOff: (() => void) | null;
  private isClosed: boolean;

  constructor(options: WorkloadCertificateOptions) {
    this.options = options;
    this.current = null;
    this.wait = new GrowingWait(options.random);
    this.callOff = null;
    this.isClosed = false;
  }

  /** @returns when the first answer is there, good or bad */
  async start(): Promise<void> {
    await this.ask();
  }

  close(): void {
    this.isClosed = true;
    this.callOff?.();
  }

  private async ask(): Promise<void> {
    const { certify, later, log } = this.options;
    try {
      const certified = await certify();
      if (this.isClosed) return;
      this.wait.reset();
      this.take(certified);
    } catch (error) {
      if (this.isClosed) return;
      const waitMs = this.wait.next();
      const left =
        this.current === null ? '' : `; the one there is ends ${new Date(this.current.expiresMs).toISOString()}`;
      log.warn(`no certificate of the CA: ${(error as Error).message}${left}; asked again in ${Math.round(waitMs)} ms`);
      this.callOff = later.after(waitMs, () => void this.ask());
    }
  }

  private take(certified: Certified): void {
    const { later, log, onChanged, random, renewal } = this.options;
    const now = later.now();
    const delayMs = renewalDelayMs(now, certified.expiresMs, now, renewal, random);
    const hasNewRoots = certified.roots !== this.current?.roots;
    this.current = certified;
    log.info(
      `new certificate until ${new Date(certified.expiresMs).toISOString()}, renewed in ${Math.round(delayMs / 1000)} s`,
    );
    this.callOff = later.after(Math.max(delayMs, renewalDelayMinMs), () => void this.ask());
    onChanged(certified, hasNewRoots);
  }
}

/** A CA whose certificates are old when they come is not asked in a circle. */
const renewalDelayMinMs = 1000;
