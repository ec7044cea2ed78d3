import { Ring } from './ring.ts';

/** Why this process cannot have an io_uring of our kind; empty: it can. */
export function whyNoRing(): string {
  try {
    new Ring().close();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
