/** Two pods with real rules, one namespace each: needs root and iptables. */
import { describe, expect, test } from 'vitest';
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

/** What the client has come to know, whatever the mode. */
const always = {
  passedThrough: '200 outside of the mesh: outside',
  // The server's proxy takes nobody without one.
  withoutCertificate: 'ECONNRESET',
  identities: ['spiffe://cluster.local/ns/default/sa/client', 'spiffe://cluster.local/ns/default/sa/server'],
};

/** What the server's application has seen. @param from the address of its client */
const seenBy = (from: string): object => ({
  from,
  host: 'server.mesh',
  cert: expect.stringMatching(
    /^By=spiffe:\/\/cluster\.local\/ns\/default\/sa\/server;Hash=[0-9a-f]{64};URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/client$/,
  ) as string,
});

function seen(mode: string): Record<string, unknown> {
  const { output, error } = programInNamespace(rules, 'pods.ts', mode);
  const printed = JSON.parse(output || '{}') as Record<string, string>;
  expect(printed['service'] ?? error, error).toMatch(/^200 /);
  const parsed = (answer: string): unknown => JSON.parse(answer.slice('200 '.length));
  const byProxy = printed['byProxy'];
  return {
    ...printed,
    service: parsed(printed['service']),
    ...(byProxy !== undefined && { byProxy: parsed(byProxy) }),
  };
}

describe.skipIf(reason !== null)('applications that know nothing of a mesh speak by mutual TLS', () => {
  test('REDIRECT: they see their proxy', () => {
    const service = seenBy('127.0.0.6');
    expect(seen('REDIRECT')).toEqual({ ...always, modes: ['REDIRECT'], name: '10.96.0.1', service });
  });

  test('TPROXY: they see their clients', () => {
    const service = seenBy('10.9.0.3');
    expect(seen('TPROXY')).toEqual({ ...always, modes: ['TPROXY'], name: '10.96.0.1', service });
  });

  test('NONE: without any rule, where clients speak to listeners of their own', () => {
    const service = seenBy('127.0.0.1');
    expect(seen('NONE')).toEqual({ ...always, modes: ['NONE'], service, byProxy: service });
  });
});
