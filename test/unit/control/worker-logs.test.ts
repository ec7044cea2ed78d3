import { describe, expect, it } from 'vitest';
import { WorkerLogs, writeWorkerLog, type WorkerLogMessage } from '../../../src/control/worker-logs.ts';
import { Clock } from '../../../src/core/clock.ts';
import { LogLevel } from '../../../src/observe/log/level.ts';
import { LogLevels } from '../../../src/observe/log/log-levels.ts';
import type { Log } from '../../../src/observe/log/log.ts';

function open(level: LogLevel): { logs: WorkerLogs; clock: Clock; posted: WorkerLogMessage[] } {
  const levels = new LogLevels();
  levels.setAll(level);
  const clock = new Clock();
  const posted: WorkerLogMessage[] = [];
  return { logs: new WorkerLogs(levels.shared, clock, (message) => posted.push(message)), clock, posted };
}

describe('what workers log', () => {
  it('goes to the main thread where its level is on', () => {
    const { logs, posted } = open(LogLevel.Info);
    const log = logs.component('connection');
    log.debug('unheard');
    log.warn('heard');
    expect(posted).toEqual([{ component: 'connection', level: LogLevel.Warning, message: 'heard' }]);
  });

  it('is limited, for peers decide how often it comes', () => {
    const { logs, clock, posted } = open(LogLevel.Trace);
    for (let i = 0; i < 1000; i++) logs.component('connection').debug('again');
    expect(posted).toHaveLength(100);
    expect(posted.at(-1)!.message).toContain('left out');
    clock.now = 1000;
    logs.component('connection').debug('again');
    expect(posted).toHaveLength(101);
  });

  it('is written at its level', () => {
    const written: string[] = [];
    const log = { warn: (message: string) => written.push(message) } as unknown as Log;
    writeWorkerLog({ component: () => log }, { component: 'main', level: LogLevel.Warning, message: 'said' });
    expect(written).toEqual(['said']);
  });
});
