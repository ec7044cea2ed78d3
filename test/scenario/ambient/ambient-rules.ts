/** Two pods of a node, each in a network namespace with the rules that istio-cni writes; ztunnel is outside of both. */
export const clientAddress = '10.9.2.1';
export const serverAddress = '10.9.3.1';
/** Outside the mesh: no rules. */
export const plainAddress = '10.9.4.1';
/** Of the client's node, too. */
export const otherAddress = '10.9.2.2';
/** Of the server's node, too. */
export const secondServerAddress = '10.9.3.2';
/** Network namespaces of nodes, for ztunnels of their own; and where all of them reach whoever is in none. */
export const clientNodeAddress = '10.9.5.1';
export const serverNodeAddress = '10.9.6.1';
export const outsideAddress = '10.9.0.1';

/** Of the same pod: 10.9.2.1 is fd09::2:1, too. */
export function ipv6Of(address: string): string {
  const [, , node, pod] = address.split('.');
  return `fd09::${node}:${pod}`;
}

const mark = '0x539/0xfff';
const replies = '0x111/0xfff';

/** Shell functions: a pod on the bridge, istio-cni's rules in it, and the bridge itself. */
export const podFunctions = `
bridge() {
  mount -t proc proc /proc
  mount -t tmpfs sekisho /run
  ip link set lo up
  ip link add bridge type bridge
  ip address add $1/16 dev bridge
  ip link set bridge up
}
pod() {
  ip netns add $1
  ip link add v$1 type veth peer name eth0 netns $1
  ip link set v$1 master bridge up
  ip -n $1 link set lo up
  ip -n $1 address add $2/16 dev eth0
  ip -n $1 link set eth0 up
}
captured() {
  for tables in iptables; do
    ip netns exec $1 $tables -t mangle -A PREROUTING -m mark --mark ${mark} -j CONNMARK --set-xmark ${replies}
    ip netns exec $1 $tables -t mangle -A OUTPUT -m connmark --mark ${replies} -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff
    ip netns exec $1 $tables -t nat -A PREROUTING -p tcp ! -d 127.0.0.1/32 ! --dport 15008 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15006
    ip netns exec $1 $tables -t nat -A OUTPUT ! -o lo -p udp --dport 53 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15053
    ip netns exec $1 $tables -t nat -A OUTPUT -p tcp --dport 53 ! -d 127.0.0.1/32 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15053
    ip netns exec $1 $tables -t nat -A OUTPUT -p tcp -m mark --mark ${replies} -j ACCEPT
    ip netns exec $1 $tables -t nat -A OUTPUT -o lo ! -d 127.0.0.1/32 -j ACCEPT
    ip netns exec $1 $tables -t nat -A OUTPUT -p tcp ! -d 127.0.0.1/32 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15001
  done
  ip -n $1 rule add fwmark ${replies} pref 32764 lookup 100
  ip -n $1 route add local default dev lo table 100
}
captured6() {
  ip netns exec $1 ip6tables -t mangle -A PREROUTING -m mark --mark ${mark} -j CONNMARK --set-xmark ${replies}
  ip netns exec $1 ip6tables -t mangle -A OUTPUT -m connmark --mark ${replies} -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff
  ip netns exec $1 ip6tables -t nat -A PREROUTING -p tcp ! -d ::1/128 ! --dport 15008 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15006
  ip netns exec $1 ip6tables -t nat -A OUTPUT ! -o lo -p udp --dport 53 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15053
  ip netns exec $1 ip6tables -t nat -A OUTPUT -p tcp --dport 53 ! -d ::1/128 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15053
  ip netns exec $1 ip6tables -t nat -A OUTPUT -p tcp -m mark --mark ${replies} -j ACCEPT
  ip netns exec $1 ip6tables -t nat -A OUTPUT -o lo ! -d ::1/128 -j ACCEPT
  ip netns exec $1 ip6tables -t nat -A OUTPUT -p tcp ! -d ::1/128 -m mark ! --mark ${mark} -j REDIRECT --to-ports 15001
  ip -6 -n $1 rule add fwmark ${replies} pref 32764 lookup 100
  ip -6 -n $1 route add local default dev lo table 100
}
`;

const ipv6Pods = Object.entries({
  client: clientAddress,
  server: serverAddress,
  plain: plainAddress,
  other: otherAddress,
  second: secondServerAddress,
})
  .map(([name, address]) => `  ip -6 -n ${name} address add ${ipv6Of(address)}/64 dev eth0 nodad`)
  .join('\n');

/** Run as root in a network and a mount namespace of its own. `IPV6`: pods have such addresses, too. */
export const ambientRules = `
set -e
${podFunctions}
bridge ${outsideAddress}
pod client ${clientAddress}
pod server ${serverAddress}
pod plain ${plainAddress}
pod other ${otherAddress}
pod second ${secondServerAddress}
pod clients ${clientNodeAddress}
pod servers ${serverNodeAddress}
for each in client other server second; do captured $each; done
for each in client other; do ip -n $each route add default via ${serverAddress}; done
if [ -n "$IPV6" ]; then
  ip -6 address add ${ipv6Of(outsideAddress)}/64 dev bridge nodad
${ipv6Pods}
  for each in client other server second; do captured6 $each; done
  for each in client other; do ip -6 -n $each route add default via ${ipv6Of(serverAddress)}; done
fi
exec "$@"
`;
