import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { machineTime } from '../../../../src/agent/identity/later.ts';
import { CniConnection } from '../../../../src/ztunnel/cni/cni-connection.ts';
import { NodePods } from '../../../../src/ztunnel/cni/node-pods.ts';
import { LineLog } from '../../../../src/ztunnel/telemetry/line-log.ts';
import { LogLines } from '../../../../src/ztunnel/telemetry/log-lines.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.log('skipped: the CNI plugin of the tests needs python3');
const plugin = join(import.meta.dirname, '../../../scenario/ambient/cni-plugin.py');

test.skipIf(!hasPython)('pods come with their descriptors, are acknowledged and go', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sekisho-cni-')), 'cni.sock');
  const said: string[] = [];
  const waiting: (() => void)[] = [];
  const calls: string[] = [];
  const pods = new NodePods(
    {
      addProxy: (uid, { namespace, name, serviceAccount }, _fd, tell) => {
        calls.push(`add ${uid} ${namespace}/${name}/${serviceAccount}`);
        tell(uid === 'bad' ? 'no' : '');
      },
      removeProxy: (uid) => void calls.push(`remove ${uid}`),
    },
    { ...machineTime, after: () => () => {} },
    () => {},
  );
  const child = spawn('python3', [plugin, path, 'good,n,a,s,/proc/version', 'bad,n,b,s,/proc/uptime']);
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line);
    for (const resolve of waiting.splice(0)) resolve();
  });
  const until = async (line: string): Promise<void> => {
    while (!said.includes(line)) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  await until('listening');
  let snapshots = 0;
  const log = new LineLog(new LogLines(false, () => {}), 'inpod');
  const connection = new CniConnection(path, pods, machineTime, log, () => snapshots++);
  connection.start();
  await until('snapshot 0a00');
  child.stdin.write('good\n');
  await until('deleted 0a00');
  expect(calls).toEqual(['add good n/a/s', 'add bad n/b/s', 'remove good']);
  expect(said[1]).toBe('hello 0801');
  expect(said[2]).toBe('added 0a00');
  expect(said[3]).toContain(Buffer.from('failed to start proxy: no').toString('hex'));
  expect(snapshots).toBe(1);
  connection.stop();
  child.kill('SIGKILL');
});
