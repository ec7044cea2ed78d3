import type { RedirectHistory } from '../../../route/route.ts';

/** The redirects that have led from a client's request to the one at hand. */
export class FollowedRedirects implements RedirectHistory {
  count: number;
  private readonly taken: Set<string>;

  constructor() {
    this.count = 0;
    this.taken = new Set();
  }

  isNew(from: string, to: string): boolean {
    const key = `${from}\0${to}`;
    if (this.taken.has(key)) return false;
    this.taken.add(key);
    return true;
  }
}
