/** The rules of `sekisho iptables` on a machine: needs root and iptables, in network namespaces of their own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { findProgram, missing } from '../peers/binaries.ts';
import { main, node } from './agent-pod.ts';
import { inNamespace, programInNamespace } from './namespace.ts';

/** Run as root: a namespace with an interface that another may be reached by. */
const interfaces = `
set -e
ip link set lo up
ip link add eth0 type veth peer name eth0peer
ip link set eth0 up
ip address add 10.9.9.9/24 dev eth0
ip route add default dev eth0
exec "$@"
`;

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: rules need root';
  const { output, error } = inNamespace(interfaces, 'sh', '-c', 'iptables -t nat -N TRY && echo there');
  return output.trim() === 'there' ? null : `skipped: no rules can be set here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

describe.skipIf(reason !== null)('connections come out where they are sent', () => {
  const both = {
    set: 'rules are set',
    again: 'rules were set already',
    changed: 'rules are set',
    back: 'rules are set',
    isTheSame: true,
    outbound: '15001',
    excludedRange: '',
    excludedPort: '',
    ofTheProxy: '',
    ofTheWorkloadToItself: '8080',
    inboundExcluded: '15020',
    cleaned: 'rules are taken away',
    isAsBefore: true,
    routes: '',
    cleanedAgain: 'there were no rules',
  };
  test('REDIRECT', () => {
    const { output, error } = programInNamespace(interfaces, 'iptables-effects.ts', 'REDIRECT');
    expect(JSON.parse(output || '{}'), error).toEqual({ ...both, ofTheProxyToItself: '15006', inbound: '15006' });
  });

  // What comes out is a matter of the listener, which has to be transparent: see tproxied.test.ts.
  test('TPROXY', () => {
    const { output, error } = programInNamespace(interfaces, 'iptables-effects.ts', 'TPROXY');
    expect(JSON.parse(output || '{}'), error).toEqual(both);
  });

  test('rules of IPv6, too', () => {
    const script = `ip link set eth0peer up; ip address add fd00::9/64 dev eth0 nodad; ${node} ${main} iptables --dual-stack -b '*' -i '*'; ip6tables-save | grep -c ISTIO_IN_REDIRECT; ip -6 address show dev lo | grep -c ' ::6/128'`;
    const { output } = inNamespace(interfaces, 'sh', '-c', script);
    expect(output.trim().split('\n')).toEqual(['rules are set', '5', '1']);
  });

  test('whether connections are redirected can be asked by who may set nothing', () => {
    const asked = `setpriv --reuid 1337 --regid 1337 --clear-groups ${node} ${main} istio-iptables -u 1337 --run-validation --skip-rule-apply`;
    const script = `${asked}; echo without rules $?; ${node} ${main} iptables -i '*' -b '*'; ${asked}; echo with rules $?`;
    const { output } = inNamespace(interfaces, 'sh', '-c', script);
    expect(output.trim().split('\n')).toEqual(['without rules 126', 'rules are set', 'with rules 0']);
  });

  test('without the right to it, that is said', () => {
    const script = `setpriv --reuid 4000 --regid 4000 --clear-groups ${node} ${main} iptables -b '*' || echo status $?`;
    const { output, error } = inNamespace(interfaces, 'sh', '-c', script);
    expect(output + error).toMatch(/error: iptables-save: .*capabilities NET_ADMIN and NET_RAW/);
    expect(output).toContain('status 1');
  });
});

const noAgent = findProgram('pilot-agent') === null ? missing('pilot-agent') : null;
if (reason === null && noAgent !== null) console.log(`rules of a genuine pilot-agent: ${noAgent}`);

describe.skipIf(reason !== null || noAgent !== null)('the rules of a genuine pilot-agent, in their order', () => {
  const listed = 'iptables-save | grep ^-A; ip6tables-save | grep ^-A; ip rule; ip route show table 133';
  const setBy = (command: string, flags: string): string => {
    const script = `ip link set eth0peer up; ${command} istio-iptables ${flags} > /dev/null 2>&1; ${listed}`;
    return inNamespace(interfaces, 'sh', '-c', script).output;
  };

  test.each([
    "-p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x '' -b '*' -d 15090,15021,15020",
    '-m TPROXY -i 10.0.0.0/8,192.168.0.0/16 -x 10.5.0.0/16 -b 80,443 -o 22 -q 9999',
    "-m REDIRECT -i '*' -b '*' -d 15020 --redirect-dns --capture-all-dns",
    "-m TPROXY -i '*' -b '*' -c eth9 -k eth7 --drop-invalid",
  ])('%s', (flags) => {
    const genuine = setBy(findProgram('pilot-agent')!, flags);
    expect(genuine).toContain('ISTIO_OUTPUT');
    expect(setBy(`${node} ${main} agent`, flags)).toBe(genuine);
  });
});

test('--dry-run prints, and sets nothing', () => {
  const { status, stdout } = spawnSync(node, [main, 'iptables', '--dry-run', '-b', '80'], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toContain('iptables-restore --noflush\n* nat\n-N ISTIO_INBOUND\n');
  expect(stdout).toContain('-A ISTIO_INBOUND -p tcp --dport 80 -j ISTIO_IN_REDIRECT\n');
});

test('what cannot be is refused', () => {
  const { status, stderr } = spawnSync(node, [main, 'iptables', '-i', 'everywhere'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([1, "error: 'everywhere' is no range of addresses\n"]);
});
