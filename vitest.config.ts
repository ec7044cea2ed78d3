import { defineConfig } from 'vitest/config';
import { groupsAtOnce } from './test/peers/lanes.ts';

/** `unit` is fast and needs nothing; `scenario` runs the whole app; `peers` compares with a real Envoy and skips where there is none. */
export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,property,wire,contract,conformance}/**/*.test.ts', 'test/{deploy,tidy}.test.ts'],
          // Only a test that hangs takes so long; a loaded machine must not look like one.
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'scenario',
          include: ['test/scenario/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 90_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Rows measure short timeouts and must not starve each other: one file at a time, and of its groups so many.
        test: {
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          fileParallelism: false,
          maxConcurrency: groupsAtOnce,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
