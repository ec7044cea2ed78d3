/** Uniform in [0, 1). `Math.random` in production, seeded in tests. */
export type RandomSource = () => number;

/** Uniform among 0 … count−1. */
export function randomIndex(random: RandomSource, count: number): number {
  return Math.floor(random() * count);
}
