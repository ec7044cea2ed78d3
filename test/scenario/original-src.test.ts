/** Upstreams that see the client's address, and listeners at addresses of others: needs root, in a network namespace of its own. */
import { describe, expect, test } from 'vitest';
import { inNamespace, programInNamespace, proxiesToRun } from './namespace.ts';

/** Run as root: addresses of clients are not this machine's, yet what is sent to them arrives here. Nothing with the mark 99 leaves. */
const rules = `
set -e
ip link set lo up
ip rule add pref 5 lookup local
ip rule del pref 0
ip rule add pref 1 fwmark 99 prohibit
ip rule add to 203.0.113.0/24 lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
ip -6 rule add to 2001:db8::/32 lookup 100
ip -6 route add local ::/0 dev lo table 100
exec "$@"
`;

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: addresses of others need root';
  const { output, error } = inNamespace(rules, 'echo', 'routed');
  return output.trim() === 'routed' ? null : `skipped: no routes for addresses of others here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

const expected = {
  '8001 203.0.113.9 /': '203.0.113.9',
  '8001 203.0.113.9 /again': '203.0.113.9',
  '8001 203.0.113.10 /': '203.0.113.10',
  '8001 2001:db8::9 /six': '2001:db8::9',
  '8001 2001:db8::9 /four': '503',
  '8002 203.0.113.9 /': '203.0.113.9',
  '8003 203.0.113.9 /': '503',
  '8004 203.0.113.11 /': '203.0.113.11',
  '8005 203.0.113.12 /': '203.0.113.12',
  '8006 203.0.113.12 /': '203.0.113.12',
  '8007 203.0.113.12 /': '203.0.113.12',
  '8008 203.0.113.12 /': '203.0.113.12',
};

describe.skipIf(reason !== null)('upstreams see the address of the client', () => {
  test.each(proxiesToRun())('%s %s %s', (...proxy) => {
    const { output, error } = programInNamespace(rules, 'original-src-traffic.ts', ...proxy);
    expect(JSON.parse(output || '{}'), error).toEqual(expected);
  });
});
