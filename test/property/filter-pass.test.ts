import { expect, test } from 'vitest';
import { Verdict } from '../../src/filter/filter.ts';
import { ScriptedFilter, ScriptPass } from '../unit/proxy/http/script-pass.ts';
import * as fc from './chance.ts';

const any: readonly Verdict[] = [Verdict.Continue, Verdict.Stop, Verdict.StopAndBuffer];
const message = fc.record({
  chunks: fc.integer({ min: 0, max: 5 }),
  ending: fc.constantFrom('head', 'data', 'empty data', 'trailers'),
});

/** What arrives, in order. */
function events(chunks: number, ending: string, pass: ScriptPass): (() => void)[] {
  const bare = ending === 'head';
  const list = [() => pass.passHead('head', bare)];
  if (bare) return list;
  for (let i = 0; i < chunks; i++) {
    const last = ending === 'data' && i === chunks - 1;
    list.push(() => pass.chunk(String.fromCharCode(97 + i), last));
  }
  if (ending === 'trailers') list.push(() => pass.end());
  if (ending === 'empty data' || (ending === 'data' && chunks === 0)) list.push(() => pass.chunk('', true));
  return list;
}

/** Chunks may be cut otherwise; what counts is the order of everything. */
function flat(seen: readonly string[]): string {
  return seen.map((what) => (what.length > 1 ? `<${what}>` : what)).join('');
}

/**
 * Whatever filters stop, buffer and resume, and however that falls between the pieces of a message: every filter and
 * who stands behind them hear the same bytes in the same order, and one end.
 */
function everybodyHearsTheSame(filterCount: { min: number; max: number }, verdicts: readonly Verdict[]): void {
  fc.assert(
    fc.property(
      message,
      fc.array(fc.array(fc.constantFrom(...verdicts), { maxLength: 8 }), {
        minLength: filterCount.min,
        maxLength: filterCount.max,
      }),
      fc.array(fc.nat(5), { maxLength: 24 }),
      ({ chunks, ending }, scripts, schedule) => {
        const filters = scripts.map((script) => new ScriptedFilter(script));
        const pass = new ScriptPass(filters);
        const plain = new ScriptPass([]);
        for (const event of events(chunks, ending, plain)) event();
        const waiting = events(chunks, ending, pass);
        // 0–2: a filter that holds goes on; else: the next piece arrives.
        for (const step of schedule) {
          if (step < filters.length && filters[step].isHolding) pass.go(step);
          else waiting.shift()?.();
        }
        for (const event of waiting) event();
        // Every filter that still holds goes on in the end, as often as its script stops.
        for (let i = 0; i < 50 && filters.some(({ isHolding }) => isHolding); i++)
          filters.forEach((filter, rank) => filter.isHolding && pass.go(rank));
        expect(flat(pass.passed)).toBe(flat(plain.passed));
        for (const { seen } of filters) expect(flat(seen)).toBe(flat(plain.passed));
      },
    ),
    { numRuns: 1000 },
  );
}

test('one filter', () => everybodyHearsTheSame({ min: 1, max: 1 }, any));
test('several filters that stop', () => everybodyHearsTheSame({ min: 2, max: 3 }, [Verdict.Continue, Verdict.Stop]));
test('several filters that stop and buffer', () => everybodyHearsTheSame({ min: 2, max: 3 }, any));
