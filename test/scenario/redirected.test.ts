/** Connections that iptables redirect: needs root and iptables, in a network namespace of its own. */
import { describe, expect, test } from 'vitest';
import { inNamespace, programInNamespace, proxiesToRun } from './namespace.ts';

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

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: redirecting connections needs root';
  const { output, error } = inNamespace(rules, 'echo', 'redirected');
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

describe.skipIf(reason !== null)('redirected connections go where they were going', () => {
  test.each(proxiesToRun())('%s %s %s', (...proxy) => {
    const { output, error } = programInNamespace(rules, 'redirected-traffic.ts', ...proxy);
    expect(JSON.parse(output || '{}'), error).toEqual(expected);
  });
});
