import type { SharedNumber } from '../../observe/limit/shared-limit.ts';
import type { ResourceLimit } from '../cluster.ts';

/** So many retries at one time, of so many requests. */
export interface RetryShare {
  retriesAmong(requests: number): number;
}

/** Retries in proportion to requests: `retry_budget`. */
export class RetryBudget implements ResourceLimit {
  private readonly retries: SharedNumber;
  private readonly measure: readonly SharedNumber[];
  private share: RetryShare;

  /** `measure`: their sum is the number of requests. */
  constructor(retries: SharedNumber, measure: readonly SharedNumber[], share: RetryShare) {
    this.retries = retries;
    this.measure = measure;
    this.share = share;
  }

  get canCreate(): boolean {
    let requests = 0;
    for (const number of this.measure) requests += number.load();
    return this.retries.load() < this.share.retriesAmong(requests);
  }

  inc(): void {
    this.retries.inc();
  }

  dec(): void {
    this.retries.dec();
  }

  update(share: RetryShare): void {
    this.share = share;
  }
}
