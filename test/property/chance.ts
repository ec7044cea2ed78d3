import * as fastCheck from 'fast-check';

/** How many times as often each property is tried, with seeds of chance; 0: as often as it says, always alike. */
const hunt = Number(process.env.HUNT ?? 0);

/** Any number will do: what it finds is what every later run finds. */
const usualSeed = 20_261_121;

/**
 * fast-check, except that `assert` tries the same values in every run, so that a change is never refused by chance.
 * Looking for what nobody has thought of is a run of its own: `npm run hunt`, which tries `HUNT` times as many others.
 * A `seed` and `path` that it has printed are given to `assert` to see the same again.
 */
export * from 'fast-check';

export function assert<T>(property: fastCheck.IAsyncProperty<T>, parameters?: fastCheck.Parameters<T>): Promise<void>;
export function assert<T>(property: fastCheck.IProperty<T>, parameters?: fastCheck.Parameters<T>): void;
export function assert<T>(
  property: fastCheck.IRawProperty<T>,
  parameters: fastCheck.Parameters<T> = {},
): Promise<void> | void {
  const { numRuns = 100 } = parameters;
  return fastCheck.assert(
    property,
    hunt > 0 ? { ...parameters, numRuns: numRuns * hunt } : { seed: usualSeed, ...parameters },
  );
}

/** How long a test of a property may take, in milliseconds. */
export function patience(usualMs: number): number {
  return usualMs * Math.max(1, hunt);
}
