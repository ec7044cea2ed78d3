/** Units of `grpc-timeout`, from the finest: milliseconds of one, and its letter. */
const units: readonly (readonly [ms: number, letter: string])[] = [
  [1, 'm'],
  [1000, 'S'],
  [60_000, 'M'],
  [3_600_000, 'H'],
];

/** The protocol allows eight digits. */
const digitsMax = 99_999_999;

/** `grpc-timeout` for so many milliseconds, rounded up to what can be said. */
export function grpcTimeoutText(timeoutMs: number): string {
  for (const [ms, letter] of units) {
    const count = Math.ceil(timeoutMs / ms);
    if (count <= digitsMax) return `${count}${letter}`;
  }
  return `${digitsMax}H`;
}
