import type { Later } from '../../agent/identity/later.ts';
import type { CertificateAuthority, Certified } from './authority.ts';

/** Certificates that are asked for at a time. ztunnel's. */
const fetchesMax = 8;

/** Waits after failures: the first, the factor, the longest, and by how much chance changes each. ztunnel's. */
const firstWaitMs = 500;
const waitFactor = 2;
const waitMaxMs = 150_000;
const waitSpread = 0.2;

/** A connection waits, a workload has come, or one that is there is half-way through its life. */
const Urgency = { Now: 0, Soon: 1, Renewal: 2 } as const;
type Urgency = (typeof Urgency)[keyof typeof Urgency];

/** Hears what becomes of certificates. */
export interface CertificateListener {
  onCertificate(identity: string, certified: Certified): void;
  onNoCertificate(identity: string, problem: string): void;
}

export type CertificateState = 'Initializing' | 'Available' | 'Unavailable';

/** One identity's certificate. */
interface Entry {
  readonly identity: string;
  certified: Certified | null;
  problem: string;
  /** Null: it is not waited for. */
  urgency: Urgency | null;
  isFetching: boolean;
  failures: number;
  callOff: (() => void) | null;
}

/** One certificate per identity of the node: fetched when it is wanted, renewed in the middle of its life. */
export class CertificateCache {
  private readonly authority: CertificateAuthority;
  private readonly listener: CertificateListener;
  private readonly later: Later;
  private readonly random: () => number;
  private readonly entries: Map<string, Entry>;
  private fetching: number;

  constructor(
    authority: CertificateAuthority,
    listener: CertificateListener,
    later: Later,
    random: () => number = Math.random,
  ) {
    this.authority = authority;
    this.listener = listener;
    this.later = later;
    this.random = random;
    this.entries = new Map();
    this.fetching = 0;
  }

  /** A connection waits for it. Told again where it is there. */
  want(identity: string): void {
    const entry = this.entryOf(identity);
    if (entry.certified !== null && entry.certified.validToMs > this.later.now()) {
      this.listener.onCertificate(identity, entry.certified);
    } else if (entry.certified === null && entry.problem !== '' && entry.callOff !== null) {
      // It has just failed: whoever waits hears so, and the next attempt has its time.
      this.listener.onNoCertificate(identity, entry.problem);
    } else {
      this.queue(entry, Urgency.Now);
    }
  }

  /** A workload of this identity has come to the node. */
  warm(identity: string): void {
    const entry = this.entryOf(identity);
    if (entry.certified === null && entry.callOff === null) this.queue(entry, Urgency.Soon);
  }

  /** The last of its workloads has gone. */
  forget(identity: string): void {
    this.entries.get(identity)?.callOff?.();
    this.entries.delete(identity);
  }

  /** For config_dump. */
  get all(): Iterable<readonly [identity: string, state: CertificateState, certified: Certified | null]> {
    return [...this.entries.values()].map(
      ({ identity, certified, problem }) =>
        [
          identity,
          certified !== null ? 'Available' : problem === '' ? 'Initializing' : 'Unavailable',
          certified,
        ] as const,
    );
  }

  close(): void {
    for (const identity of this.entries.keys()) this.forget(identity);
    this.authority.close();
  }

  private entryOf(identity: string): Entry {
    let entry = this.entries.get(identity);
    if (entry === undefined) {
      entry = {
        identity,
        certified: null,
        problem: '',
        urgency: null,
        isFetching: false,
        failures: 0,
        callOff: null,
      };
      this.entries.set(identity, entry);
    }
    return entry;
  }

  private queue(entry: Entry, urgency: Urgency): void {
    entry.callOff?.();
    entry.callOff = null;
    if (entry.isFetching) return;
    if (entry.urgency === null || urgency < entry.urgency) entry.urgency = urgency;
    this.fetchNext();
  }

  private fetchNext(): void {
    while (this.fetching < fetchesMax) {
      let next: Entry | null = null;
      for (const entry of this.entries.values())
        if (entry.urgency !== null && (next === null || entry.urgency < next.urgency!)) next = entry;
      if (next === null) return;
      next.urgency = null;
      next.isFetching = true;
      this.fetching++;
      void this.fetch(next);
    }
  }

  private async fetch(entry: Entry): Promise<void> {
    try {
      this.fetched(entry, await this.authority.certify(entry.identity));
    } catch (error) {
      this.failed(entry, (error as Error).message);
    }
    this.fetching--;
    this.fetchNext();
  }

  private fetched(entry: Entry, certified: Certified): void {
    entry.isFetching = false;
    // Forgotten meanwhile.
    if (this.entries.get(entry.identity) !== entry) return;
    entry.certified = certified;
    entry.problem = '';
    const { validFromMs, validToMs } = certified;
    const leftMs = (validFromMs + validToMs) / 2 - this.later.now();
    // Past its middle when it comes, where the two clocks do not agree: asking at once would not end.
    if (leftMs > 0) entry.failures = 0;
    this.again(entry, leftMs > 0 ? leftMs : this.nextWaitMs(entry));
    this.listener.onCertificate(entry.identity, certified);
  }

  /** What is there and still good stays in use. */
  private failed(entry: Entry, problem: string): void {
    entry.isFetching = false;
    if (this.entries.get(entry.identity) !== entry) return;
    entry.problem = problem;
    this.again(entry, this.nextWaitMs(entry));
    if (entry.certified === null) this.listener.onNoCertificate(entry.identity, problem);
  }

  private nextWaitMs(entry: Entry): number {
    const wait = Math.min(waitMaxMs, firstWaitMs * waitFactor ** entry.failures++);
    return wait * (1 - waitSpread + 2 * waitSpread * this.random());
  }

  private again(entry: Entry, waitMs: number): void {
    entry.callOff = this.later.after(waitMs, () => {
      entry.callOff = null;
      this.queue(entry, Urgency.Renewal);
    });
  }
}
