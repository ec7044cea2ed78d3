/**
 * The bins of a log-linear histogram with two significant decimal digits, as circllhist (Envoy's) has them, for whole
 * numbers: 0, 1 … 9 (bins 0.1 wide), 10 … 99 (1 wide), then 90 bins for each further decade.
 *
 * They are kept in parts, so that a histogram takes memory only for the magnitudes it has seen: part 0 holds the
 * values 0 … 99, one cell each; part p > 0 holds the 90 bins of decade p + 1 (100 … 990, 1 000 … 9 900, …).
 */
const FIRST_PART_CELLS = 100;
const FURTHER_PART_CELLS = 90;
/** Values up to 10^15: 30 000 years in milliseconds, or a petabyte. Larger ones land in the last bin. */
const HISTOGRAM_PARTS_MAX = 14;

const LARGEST = 999_999_999_999_999;

/** The part in which a whole number falls. */
export function partOf(value: number): number {
  if (value < 100) return 0;
  if (value < 1000) return 1;
  if (value < 10_000) return 2;
  let part = 3;
  for (let limit = 100_000; value >= limit && part < HISTOGRAM_PARTS_MAX - 1; limit *= 10) part++;
  return part;
}

/** The cell inside that part. */
export function cellOf(value: number, part: number): number {
  if (part === 0) return value;
  return Math.floor((value > LARGEST ? LARGEST : value) / SCALE[part]) - 10;
}

export function cellsOf(part: number): number {
  return part === 0 ? FIRST_PART_CELLS : FURTHER_PART_CELLS;
}

/** Width of a bin of part p: 1, 10, 100, …; index 0 is not used for the values below 10. */
const SCALE: readonly number[] = Array.from({ length: HISTOGRAM_PARTS_MAX }, (_, part) => 10 ** part);

/** Lower end of a bin. */
export function lowerBoundOf(part: number, cell: number): number {
  return part === 0 ? cell : (cell + 10) * SCALE[part];
}

/** Width of a bin: 0 for zero, 0.1 for the values 1 … 9. */
export function widthOf(part: number, cell: number): number {
  if (part > 0) return SCALE[part];
  return cell === 0 ? 0 : cell < 10 ? 0.1 : 1;
}
