/** How many groups are compared at the same time: most of a row is waiting, but short times must not starve. */
export const groupsAtOnce = 8;

/** Does something with each, so many at the same time; what comes of them in their order, each as soon as it is there. */
export async function* inLanes<T, R>(
  all: readonly T[],
  lanes: number,
  work: (one: T) => Promise<R>,
): AsyncGenerator<R> {
  const results = all.map(() => Promise.withResolvers<R>());
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) {
      const at = next++;
      await work(all[at]).then(results[at].resolve, results[at].reject);
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, lane));
  for (const { promise } of results) yield await promise;
  await done;
}
