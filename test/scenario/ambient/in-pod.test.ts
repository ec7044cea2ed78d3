/** `sekisho ztunnel` in shared mode, with a CNI plugin and pods in namespaces whose rules are those of istio-cni: as root. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repository } from '../../peers/binaries.ts';
import { ambientRules, clientAddress, plainAddress } from './ambient-rules.ts';

/** Whatever is started in them ends with them. */
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child'];

function inNamespaces(...command: readonly string[]): { output: string; error: string } {
  const { stdout, stderr, error } = spawnSync('unshare', [...apart, 'sh', '-c', ambientRules, 'sh', ...command], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { output: stdout ?? '', error: error === undefined ? stderr : error.message };
}

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: network namespaces need root';
  if (spawnSync('python3', ['--version']).status !== 0) return 'skipped: the CNI plugin of the tests needs python3';
  const { output, error } = inNamespaces('echo', 'ready');
  return output.trim() === 'ready' ? null : `skipped: namespaces cannot be made here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

describe.skipIf(reason !== null)('pods of a node', () => {
  test.each(['io_uring', 'node'])('over %s', { timeout: 120_000 }, (backend) => {
    const node = join(repository, 'node_modules/.bin/node');
    const { output, error } = inNamespaces(node, join(import.meta.dirname, 'in-pod.ts'), backend);
    expect(JSON.parse(output || '{}'), error).toEqual({
      // The server sees the client's own address.
      byAddress: `${clientAddress} hello worldhello world`,
      byService: `${clientAddress} hello worldhello world`,
      name: ['10.10.0.1'],
      shortName: ['10.10.0.1'],
      toPlain: `${clientAddress} hello worldhello world`,
      fromPlain: `${plainAddress} hello worldhello world`,
      fromPlainStrict: 'ECONNRESET',
      fromPlainExcluded: 'hello',
      // In plain text, which the server's policies do not allow.
      toExcluded: 'ECONNRESET',
      bulk: 20_000_000,
      short: 1000,
      reset: 'ECONNRESET',
      denied: 'ECONNRESET',
      nobodyThere: 'ECONNRESET',
      ownListener: 'ECONNRESET',
      serversHbonePort: 'ECONNRESET',
      serversOutbound: 'ECONNRESET',
      // An alert, and no more.
      plainToHbone: '\u0015\u0003\u0001\u0000\u0002\u0002F',
      afterDeletion: 'ECONNRESET',
    });
  });
});
