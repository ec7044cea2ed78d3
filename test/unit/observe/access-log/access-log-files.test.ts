import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { AccessLogFiles } from '../../../../src/observe/access-log/access-log-files.ts';
import type { LogFile } from '../../../../src/observe/access-log/log-file.ts';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';

const HOUR_MS = 3_600_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sekisho-log-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Line end included. */
function log(file: LogFile, line: string): void {
  file.beginLine().text(line);
  file.endLine();
}

function counted(): { stats: WorkerStats; read: () => Record<string, number> } {
  const store = new StatsStore();
  const stats = new WorkerStats((batch) => store.receive('w', batch));
  const read = () => {
    stats.flush();
    const { counters, gauges } = store.snapshot();
    return Object.fromEntries([...counters, ...gauges].map(({ name, value }) => [name, value]));
  };
  return { stats, read };
}

describe('AccessLogFiles', () => {
  it('gathers lines and writes them at the end, as the bytes they are', async () => {
    const path = join(folder, 'a.log');
    const { stats, read } = counted();
    const files = new AccessLogFiles(HOUR_MS, stats.root);
    expect(files.open(path)).toBe(files.open(path));
    log(files.open(path), 'one\n');
    log(files.open(path), 'two \u00e9\n');
    expect(readFileSync(path, 'latin1')).toBe('');
    expect(read()['filesystem.write_total_buffered']).toBe(10);
    await files.close();
    expect(readFileSync(path)).toEqual(Buffer.from('one\ntwo \u00e9\n', 'latin1'));
    expect(read()).toEqual({
      'filesystem.write_buffered': 2,
      'filesystem.write_completed': 1,
      'filesystem.write_failed': 0,
      'filesystem.flushed_by_timer': 0,
      'filesystem.reopen_failed': 0,
      'filesystem.write_total_buffered': 0,
    });
  });

  it('writes in the background once 64 KiB are gathered, and keeps the order', async () => {
    const path = join(folder, 'a.log');
    const files = new AccessLogFiles(HOUR_MS);
    const file = files.open(path);
    let expected = '';
    for (let i = 0; i < 20_000; i++) {
      const line = `${i} ${'x'.repeat(i % 97)}\n`;
      expected += line;
      log(file, line);
      if (i % 5000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await files.close();
    expect(readFileSync(path, 'latin1') === expected).toBe(true);
  });

  it('appends beside other writers of the same file', async () => {
    const path = join(folder, 'a.log');
    const [one, two] = [new AccessLogFiles(HOUR_MS), new AccessLogFiles(HOUR_MS)];
    log(one.open(path), 'one\n');
    await one.close();
    log(two.open(path), 'two\n');
    await two.close();
    expect(readFileSync(path, 'latin1')).toBe('one\ntwo\n');
  });

  it('opens the path again after rotation', async () => {
    const path = join(folder, 'a.log');
    const files = new AccessLogFiles(HOUR_MS);
    const file = files.open(path);
    log(file, 'before\n');
    renameSync(path, `${path}.1`);
    files.reopen();
    log(file, 'after\n');
    await files.close();
    // As in Envoy, what was still gathered goes to the new file.
    expect(readFileSync(`${path}.1`, 'latin1')).toBe('');
    expect(readFileSync(path, 'latin1')).toBe('before\nafter\n');
  });

  it('keeps the old file where the new one cannot be opened', async () => {
    const path = join(folder, 'sub');
    const { stats, read } = counted();
    const files = new AccessLogFiles(HOUR_MS, stats.root);
    const file = files.open(path);
    renameSync(path, `${path}.1`);
    renameSync(folder, `${folder}.gone`);
    files.reopen();
    log(file, 'line\n');
    await files.close();
    renameSync(`${folder}.gone`, folder);
    expect(readFileSync(`${path}.1`, 'latin1')).toBe('line\n');
    expect(read()['filesystem.reopen_failed']).toBeGreaterThan(0);
  });

  it('drops and counts what would not fit into 16 MiB', async () => {
    const path = join(folder, 'a.log');
    const { stats, read } = counted();
    const files = new AccessLogFiles(HOUR_MS, stats.root);
    const file = files.open(path);
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    // The first is being written; sixteen wait.
    for (let i = 0; i < 18; i++) log(file, line);
    await files.close();
    expect(read()['filesystem.write_failed']).toBe(1);
    expect(readFileSync(path).length).toBe(17 * line.length);
  });

  it("says why a file cannot be opened, in Envoy's words", () => {
    const files = new AccessLogFiles(HOUR_MS);
    expect(() => files.open(join(folder, 'no', 'x'))).toThrow(
      `unable to open file '${join(folder, 'no', 'x')}': No such file or directory`,
    );
    expect(() => files.open(folder)).toThrow('Is a directory');
  });
});
