/** An unsigned 64-bit hash in two halves, each an unsigned 32-bit number: arithmetic on bigints is too slow for a request. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** Divisors up to this one leave every intermediate result exact. */
const exactDivisorMax = 1 << 26;

/** What is left when the hash is divided by `divisor`. */
export function hashModulo({ high, low }: Hash64, divisor: number): number {
  if (divisor > exactDivisorMax) return Number(((BigInt(high) << 32n) | BigInt(low)) % BigInt(divisor));
  return ((high % divisor) * (0x1_0000_0000 % divisor) + low) % divisor;
}

/** As 16 hexadecimal digits. */
export function formatHash({ high, low }: Hash64): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
