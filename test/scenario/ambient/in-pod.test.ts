/** `sekisho ztunnel` in shared mode, with a CNI plugin and pods in namespaces whose rules are those of istio-cni: as root. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repository } from '../../peers/binaries.ts';
import { ambientRules, clientAddress, ipv6Of, plainAddress, serverAddress } from './ambient-rules.ts';

/** Whatever is started in them ends with them. */
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child'];

function inNamespaces(...command: readonly string[]): { output: string; error: string } {
  const { stdout, stderr, error } = spawnSync('unshare', [...apart, 'sh', '-c', ambientRules, 'sh', ...command], {
    encoding: 'utf8',
    timeout: 110_000,
    env: { ...process.env, IPV6: 'yes' },
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
  test.each([
    ['io_uring', '4'],
    ['node', '4'],
    ['io_uring', '6'],
    ['node', '6'],
  ])('over %s, IPv%s', { timeout: 120_000 }, (backend, family) => {
    const node = join(repository, 'node_modules/.bin/node');
    const { output, error } = inNamespaces(node, join(import.meta.dirname, 'in-pod.ts'), backend, family);
    const of = (address: string): string => (family === '6' ? ipv6Of(address) : address);
    const client = of(clientAddress);
    const vip = family === '6' ? 'fd10::1' : '10.10.0.1';
    expect(JSON.parse(output || '{}'), error).toEqual({
      // The server sees the client's own address.
      byAddress: `${client} hello worldhello world`,
      byService: `${client} hello worldhello world`,
      name: [vip],
      shortName: [vip],
      toPlain: `${client} hello worldhello world`,
      fromPlain: `${of(plainAddress)} hello worldhello world`,
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
      dumped: [of(serverAddress)],
      afterDeletion: 'ECONNRESET',
    });
  });
});
