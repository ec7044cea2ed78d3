import { defineConfig } from 'vitest/config';

/** `unit` is fast and needs nothing; `scenario` runs the whole app; `peers` compares with a real Envoy and skips where there is none. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,property,wire,contract,conformance}/**/*.test.ts', 'test/tidy.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'scenario',
          include: ['test/scenario/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // One file at a time: the rows measure short timeouts and must not starve each other.
        test: {
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
