import { podFunctions } from '../ambient-rules.ts';
import { outsideAddress, podAddresses } from './moved.ts';

/** Group of a sidecar, whose own connections are not redirected to it. */
export const sidecarGroup = 1337;

/** Pods of the recorded mesh. `SIDECAR`: `client-1` has one, and no rules of istio-cni. As root, in namespaces of its own. */
export const mixedRules = `
set -e
${podFunctions}
bridge ${outsideAddress}
${Object.entries(podAddresses)
  .map(([name, address]) => `pod ${name} ${address}\nip -n ${name} route add default via ${outsideAddress}`)
  .join('\n')}
for each in shop-v1 shop-v2 ledger-1; do captured $each; done
if [ -z "$SIDECAR" ]; then
  captured client-1
else
  ip netns exec client-1 iptables -t nat -A OUTPUT -p tcp ! -d 127.0.0.1/32 ! -o lo -m owner ! --gid-owner ${sidecarGroup} -j REDIRECT --to-ports 15001
  ip netns exec client-1 iptables -t nat -A PREROUTING -p tcp -m multiport ! --dports 15008,15021 -j REDIRECT --to-ports 15006
fi
exec "$@"
`;
