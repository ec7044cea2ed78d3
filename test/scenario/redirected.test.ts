/** Connections that iptables redirect: needs root and iptables, in a network namespace of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repository } from '../peers/binaries.ts';
import { envoy } from '../peers/proxy.ts';

/** Run as root: a namespace whose connections all go to port 15001, but those from 127.0.0.6 and to the admin. */
const rules = `
set -e
ip link set lo up
ip address add 10.9.9.9/32 dev lo
iptables -t nat -A OUTPUT -p tcp -s 127.0.0.6 -j RETURN
iptables -t nat -A OUTPUT -p tcp --dport 9901 -j RETURN
iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001
ip6tables -t nat -A OUTPUT -p tcp --dport 7106 -j REDIRECT --to-ports 15001
exec "$@"
`;

function inNamespace(...command: readonly string[]): { readonly output: string; readonly error: string } {
  const { stdout, stderr, error } = spawnSync('unshare', ['-n', 'sh', '-c', rules, 'sh', ...command], {
    encoding: 'utf8',
  });
  return { output: stdout ?? '', error: error === undefined ? stderr : error.message };
}

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: redirecting connections needs root';
  const { output, error } = inNamespace('echo', 'redirected');
  return output.trim() === 'redirected' ? null : `skipped: iptables cannot redirect here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

const expected = {
  'http://127.0.0.5:7000/': '127.0.0.6 to 127.0.0.5:7000',
  'http://127.0.0.7:7000/': '127.0.0.6 to 127.0.0.7:7000',
  'http://127.0.0.5:7001/': '503',
  'http://10.9.9.9/': 'service',
  'http://[::1]:7106/': 'to ::1:7006',
};

const noEnvoy = envoy.unavailable();
if (noEnvoy !== null) console.log(noEnvoy);
const proxies = [
  ['sekisho', '--io-backend', 'io_uring'],
  ['sekisho', '--io-backend', 'node'],
  ...(noEnvoy === null ? [['envoy']] : []),
];

describe.skipIf(reason !== null)('redirected connections go where they were going', () => {
  test.each(proxies)('%s %s %s', (...proxy) => {
    const node = join(repository, 'node_modules/.bin/node');
    const { output, error } = inNamespace(node, join(repository, 'test/scenario/redirected-traffic.ts'), ...proxy);
    expect(JSON.parse(output || '{}'), error).toEqual(expected);
  });
});
