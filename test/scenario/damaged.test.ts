/** Whatever a control plane sends: it is taken or refused, and the process goes on. */
import { describe, expect, test } from 'vitest';
import { inNamespace, programInNamespace } from './namespace.ts';

const rules = 'ip link set lo up && exec "$@"';
const responses = 1500 * Math.max(1, Number(process.env['HUNT'] ?? 0));
/** The same in every run, but for `npm run hunt`. */
const seed = process.env['HUNT'] === undefined ? 20_261_121 : Date.now() % 1_000_000;

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: a network namespace needs root';
  const { output, error } = inNamespace(rules, 'echo', 'up');
  return output.trim() === 'up' ? null : `skipped: no network namespace here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

describe.skipIf(reason !== null)('damaged resources', () => {
  test.each(['lds_config', 'cds_config'])('%s and what they name', (asked) => {
    const { output, error } = programInNamespace(rules, 'damaged.ts', asked, String(responses), String(seed));
    const { isAlive, refused, taken, log } = JSON.parse(output || '{}') as {
      isAlive: boolean;
      refused: number;
      taken: number;
      log: string;
    };
    expect(isAlive, `${error}\n${log}\nseed ${seed}`).toBe(true);
    expect(refused).toBeGreaterThan(0);
    expect(taken).toBeGreaterThan(0);
  });
});
