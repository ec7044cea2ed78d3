import type { Group } from './row.ts';
import { routing } from './rows/routing.ts';

/** Every group of comparisons. */
export const groups: readonly Group[] = [...routing];
