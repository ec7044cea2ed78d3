import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Channel } from '../../../../src/cluster/grpc/channel.ts';
import type { CallCredentialData } from '../../../../src/identity/google-service-data.ts';
import { RecordingStats } from '../recording-stats.ts';

function channel(...credentials: CallCredentialData[]): { channel: Channel; stats: RecordingStats } {
  const stats = new RecordingStats();
  return { channel: new Channel({ statPrefix: 'p', credentials }, stats), stats };
}

const text = (value: string): CallCredentialData => ({ key: 'k', prefix: '', source: { kind: 'text', text: value } });

test('a file is read again when it is another', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'token');
  const made = channel({ key: 'authorization', prefix: 'Bearer ', source: { kind: 'file', path } }).channel;
  expect(made.open()).toBe(`there is no token that can be told in ${path}`);
  writeFileSync(path, 'one\n');
  expect(made.open()).toEqual([['authorization', 'Bearer one']]);
  expect(made.open()).toEqual([['authorization', 'Bearer one']]);
  writeFileSync(path, 'another');
  expect(made.open()).toEqual([['authorization', 'Bearer another']]);
  writeFileSync(path, 'x'.repeat(1024 * 1024 + 1));
  expect(made.open()).toBe(`there is no token that can be told in ${path}`);
  rmSync(path);
  expect(made.open()).toBe(`there is no token that can be told in ${path}`);
  writeFileSync(path, '');
  expect(made.open()).toEqual([['authorization', 'Bearer ']]);
});

test('what may not stand in a field is not told', () => {
  expect(channel(text('a\r\nx: y')).channel.open()).toBe('what is to be told as k may not stand in a field');
  expect(channel(text('a'), text('b')).channel.open()).toEqual([
    ['k', 'a'],
    ['k', 'b'],
  ]);
});

test('calls are counted, and how they end', () => {
  const { channel: made, stats } = channel();
  const count = (name: string): number => stats.counter(`grpc.p.${name}`).value;
  for (const status of [0, 0, 14, 99]) {
    made.open();
    made.close(status);
  }
  expect(['streams_total', 'streams_closed_0', 'streams_closed_14', 'streams_closed_2'].map(count)).toEqual([
    4, 2, 1, 1,
  ]);
});
