/** Inbound connections that TPROXY takes: needs root and iptables, in network namespaces of their own. */
import { describe, expect, test } from 'vitest';
import { inNamespace, programInNamespace, proxiesToRun } from './namespace.ts';

/** Run as root: a namespace with an interface that another may be reached by, over both families. */
const interfaces = `
set -e
ip link set lo up
ip link add eth0 type veth peer name eth0peer
ip link set eth0 up
ip address add 10.9.9.9/24 dev eth0
ip address add fd00::9/64 dev eth0 nodad
ip route add default dev eth0
exec "$@"
`;

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: TPROXY needs root';
  const rule = '-t mangle -A PREROUTING -p tcp -j TPROXY --on-port 1 --tproxy-mark 1';
  const tried = `iptables ${rule} && ip6tables ${rule} && echo there`;
  const { output, error } = inNamespace(interfaces, 'sh', '-c', tried);
  return output.trim() === 'there' ? null : `skipped: no TPROXY here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

/** Who answered, and whom the server has seen. */
const expected = {
  set: 'rules are set',
  inbound: '200 inbound 10.9.9.1 to 10.9.9.9:8080',
  inbound6: '200 inbound fd00::1 to fd00::9:8080',
  passedThrough: '10.9.9.1 to 10.9.9.9:9000',
  passedThrough6: 'fd00::1 to fd00::9:9000',
  excluded: '200 nobody 10.9.9.1 to 10.9.9.9:15020',
  // It was taken: nothing refused it.
  nobodyListens: 'ECONNRESET',
  outbound: '200 PassthroughCluster 10.9.9.9 to 10.9.9.1:7000',
  outbound6: '200 PassthroughCluster fd00::9 to fd00::1:7000',
  // Out, and in again.
  serviceThatIsItself: '200 inbound, itself 10.9.9.9 to 10.9.9.9:8080',
};

describe.skipIf(reason !== null)('applications see their clients, not the proxy', () => {
  test.each(proxiesToRun())('%s %s %s', (...proxy) => {
    const { output, error } = programInNamespace(interfaces, 'tproxied-traffic.ts', ...proxy);
    expect(JSON.parse(output || '{}'), error).toEqual(expected);
  });
});
