import { afterAll } from 'vitest';

/** Takes what must be done when a test, or all of a suite, is over. */
export type AtEnd = (end: () => unknown) => void;

/** For what the tests of a suite share; to be called while the suite is described. */
export function forSuite(): AtEnd {
  const ends: (() => unknown)[] = [];
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return (end) => void ends.push(end);
}
