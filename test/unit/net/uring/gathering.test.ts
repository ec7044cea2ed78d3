import { describe, expect, test } from 'vitest';
import { busyGatheringMs, Gathering, gatheringMs } from '../../../../src/net/uring/gathering.ts';

/** Turns until a trial begins, each with so many reads of shared connections. */
function turnsToTrial(gathering: Gathering, reads: number): number {
  for (let turns = 0; turns < 10_000; turns++) {
    if (gathering.isOn) return turns;
    gathering.reads = reads;
    gathering.endTurn(turns);
  }
  return Infinity;
}

describe('gathering', () => {
  test('is tried now and then where connections carry many messages, and goes on while turns find several', () => {
    const gathering = new Gathering();
    expect(gathering.isOn).toBe(false);
    expect(turnsToTrial(gathering, 1)).toBe(16);
    for (let turn = 0; turn < 100; turn++) {
      gathering.reads = 4;
      gathering.endTurn(turn);
      expect(gathering.isOn).toBe(true);
    }
  });

  test('is tried less and less where it shows nothing, and as often as before once it has', () => {
    const gathering = new Gathering();
    const pauses: number[] = [];
    for (let trial = 0; trial < 5; trial++) {
      pauses.push(turnsToTrial(gathering, 1));
      gathering.reads = 1;
      gathering.endTurn(0);
    }
    expect(pauses).toEqual([16, 16, 32, 64, 128]);
    turnsToTrial(gathering, 1);
    gathering.reads = 10;
    gathering.endTurn(0);
    gathering.reads = 0;
    gathering.endTurn(0);
    expect(turnsToTrial(gathering, 1)).toBe(16);
  });

  test('is never tried where no connection carries many messages', () => {
    expect(turnsToTrial(new Gathering(), 0)).toBe(Infinity);
  });

  test('waits from the last turn on, so that a busy thread does not wait at all', () => {
    const gathering = new Gathering();
    gathering.endTurn(1000);
    expect(gathering.leftMs(1000)).toBeCloseTo(gatheringMs);
    expect(gathering.leftMs(1001)).toBeLessThan(0);
  });

  test('waits for longer where turns have much to do', () => {
    const gathering = new Gathering();
    gathering.endTurn(1000);
    expect(gathering.leftMs(1000.05)).toBeCloseTo(gatheringMs - 0.05);
    expect(gathering.leftMs(1000.1)).toBeCloseTo(2 * 0.1);
    expect(gathering.leftMs(1000.2)).toBeCloseTo(busyGatheringMs - 0.2);
  });
});
