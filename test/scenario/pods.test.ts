/** Two pods with real rules, one namespace each: needs root and iptables. */
import { expect, test } from 'vitest';
import { inNamespace, programInNamespace } from './namespace.ts';

/** A network that pods are connected to. */
const rules = `
set -e
ip link set lo up
ip link add bridge0 type bridge
ip link set bridge0 up
ip address add 10.9.0.1/24 dev bridge0
exec "$@"
`;

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: pods need root';
  const tried = 'ip link add veth0 type veth peer name veth1 && iptables -t nat -N TRY && command -v setpriv';
  const { output, error } = inNamespace(rules, 'sh', '-c', `${tried} && echo there`);
  return output.trim().endsWith('there') ? null : `skipped: no pods can be made here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

test.skipIf(reason !== null)('applications that know nothing of a mesh speak by mutual TLS', () => {
  const { output, error } = programInNamespace(rules, 'pods.ts');
  const { service, ...seen } = JSON.parse(output || '{}') as { service: string };
  expect(seen, error).toEqual({
    name: '10.96.0.1',
    passedThrough: '200 outside of the mesh: outside',
    // The server's proxy takes nobody without one.
    withoutCertificate: 'ECONNRESET',
    identities: ['spiffe://cluster.local/ns/default/sa/client', 'spiffe://cluster.local/ns/default/sa/server'],
  });
  expect(JSON.parse(service.slice('200 '.length) || '{}'), error).toEqual({
    from: '127.0.0.6',
    host: 'server.mesh',
    cert: expect.stringMatching(
      /^By=spiffe:\/\/cluster\.local\/ns\/default\/sa\/server;Hash=[0-9a-f]{64};URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/client$/,
    ) as string,
  });
});
