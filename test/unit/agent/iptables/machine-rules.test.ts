import { expect, test } from 'vitest';
import { parseState } from '../../../../src/agent/iptables/machine-rules.ts';
import { interceptionText } from '../../../../src/agent/iptables/intercept.ts';
import { completeWish, readInterception } from '../../../../src/agent/iptables/interception.ts';
import { Environment } from '../../../../src/agent/environment.ts';

const saved = `# Generated
*nat
:PREROUTING ACCEPT [0:0]
:ISTIO_INBOUND - [0:0]
:ISTIO_OUTPUT - [0:0]
:MINE - [0:0]
-A PREROUTING -p tcp -j ISTIO_INBOUND
-A PREROUTING -j MINE
-A OUTPUT -j ISTIO_OUTPUT
-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN
-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT
COMMIT
*security
:ISTIO_OTHER - [0:0]
COMMIT
`;

test('what is ours of what iptables-save prints', () => {
  const state = parseState(saved);
  expect(state.get('nat')).toEqual({
    chains: new Map([
      ['ISTIO_INBOUND', 2],
      ['ISTIO_OUTPUT', 0],
    ]),
    jumps: ['-D PREROUTING -p tcp -j ISTIO_INBOUND', '-D OUTPUT -j ISTIO_OUTPUT'],
  });
  expect(state.get('raw')).toEqual({ chains: new Map(), jumps: [] });
});

test('what would be set, of both families', () => {
  const wish = completeWish({ inboundPorts: '*', isDualStack: true }, new Environment({}));
  const text = interceptionText(readInterception(wish, { addresses: ['10.0.0.1', 'fd00::1'], dnsServers: [] }));
  expect(text.split('\n').filter((line) => line.includes('restore'))).toEqual([
    'iptables-restore --noflush',
    'ip6tables-restore --noflush',
  ]);
});
