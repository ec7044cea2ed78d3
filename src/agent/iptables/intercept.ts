import { interceptionRules } from './interception-rules.ts';
import type { Interception } from './interception.ts';
import { ip, ipHas, MachineRules } from './machine-rules.ts';

/** Sets the rules. @returns false: they were all there. @throws AgentError where they cannot be set */
export function intercept(wish: Interception): boolean {
  const { v4, v6 } = interceptionRules(wish);
  const isChanged = new MachineRules('v4').apply(v4);
  const isChanged6 = v6 !== null && new MachineRules('v6').apply(v6);
  if (wish.hasIpv6) ip(['-6', 'address', 'add', '::6/128', 'dev', 'lo'], /exists/i);
  if (wish.isTproxy && wish.inboundPorts !== null) routeMarked(wish);
  return isChanged || isChanged6;
}

/** Takes away what `intercept` sets, whatever it was told. @returns false: there was nothing. @throws AgentError */
export function stopIntercepting(wish: Interception): boolean {
  const { v4, v6 } = interceptionRules({ ...wish, hasIpv6: true });
  const isChanged = new MachineRules('v4').clean(v4);
  const isChanged6 = v6 !== null && new MachineRules('v6').clean(v6);
  for (const family of ['-4', '-6']) {
    const rule = ['fwmark', wish.tproxyMark, 'lookup', wish.tproxyRouteTable];
    ip([family, 'rule', 'del', ...rule], /./);
    ip([family, 'route', 'flush', 'table', wish.tproxyRouteTable], /./);
  }
  ip(['-6', 'address', 'del', '::6/128', 'dev', 'lo'], /./);
  return isChanged || isChanged6;
}

/** What would be set: commands and the input of each. */
export function interceptionText(wish: Interception): string {
  const { v4, v6 } = interceptionRules(wish);
  const part = (program: string, text: string): string => `${program} --noflush\n${text}`;
  return part('iptables-restore', v4.restoreText()) + (v6 === null ? '' : part('ip6tables-restore', v6.restoreText()));
}

/** Marked packets come to this machine, whatever their destination. */
function routeMarked({ hasIpv6, tproxyMark, tproxyRouteTable }: Interception): void {
  for (const [family, all] of hasIpv6
    ? [
        ['-4', '0.0.0.0/0'],
        ['-6', '::/0'],
      ]
    : [['-4', '0.0.0.0/0']]) {
    const mark = `0x${Number(tproxyMark).toString(16)}`;
    if (!ipHas([family, 'rule', 'show'], new RegExp(`fwmark ${mark} lookup ${tproxyRouteTable}\\b`)))
      ip([family, 'rule', 'add', 'fwmark', tproxyMark, 'lookup', tproxyRouteTable], /exists/i);
    ip([family, 'route', 'add', 'local', all, 'dev', 'lo', 'table', tproxyRouteTable], /exists/i);
  }
}
