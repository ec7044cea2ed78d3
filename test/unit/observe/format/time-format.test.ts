import { describe, expect, it } from 'vitest';

import { TimeFormat } from '../../../../src/observe/format/time-format.ts';

const utc = (pattern: string, epochMs: number) => new TimeFormat(pattern, false).format(epochMs);

describe('TimeFormat', () => {
  it.each([
    ['', '2026-11-21T11:24:06.503Z'],
    ['%-d %_m %^a %#Z %3H %05d %E0S %E9S', '21 11 SAT utc 011 00021 06 06.503564000'],
    ['%Y-%m-%dT%H:%M:%SZ', '2026-11-21T11:24:06Z'],
    ['%s%3f', '1795260246503'],
    ['%f', '503564000'],
    ['%E*S %E*f', '06.503564 503564'],
  ])('%s, as Envoy printed it', (pattern, expected) => {
    expect(utc(pattern, 1795260246503.564)).toBe(expected);
  });

  it('leaves the fraction out where it is nothing', () => {
    expect(utc('%E*S', 1795260246000)).toBe('06');
    expect(utc('%E3S', 1795260246000)).toBe('06.000');
  });

  it('keeps nothing of the second before', () => {
    const format = new TimeFormat('', false);
    expect(format.format(1795260246999.9)).toBe('2026-11-21T11:24:06.999Z');
    expect(format.format(1795260247000)).toBe('2026-11-21T11:24:07.000Z');
    expect(format.format(0)).toBe('1970-01-01T00:00:00.000Z');
  });

  it.each([
    // The year's edges: ISO weeks, weeks from Sunday and from Monday.
    [Date.UTC(2027, 0, 1), '2026 53 00 00 001 5 5'],
    [Date.UTC(2024, 11, 30), '2025 01 52 53 365 1 1'],
    [Date.UTC(2023, 0, 1), '2022 52 01 00 001 7 0'],
  ])('weeks of %i', (epochMs, expected) => {
    expect(utc('%G %V %U %W %j %u %w', epochMs)).toBe(expected);
  });

  it('twelve-hour clock', () => {
    expect(utc('%I %l %p %P|%k', Date.UTC(2026, 0, 5, 0, 7))).toBe('12 12 AM am| 0');
    expect(utc('%I %l %p', Date.UTC(2026, 0, 5, 13, 7))).toBe('01  1 PM');
  });
});
