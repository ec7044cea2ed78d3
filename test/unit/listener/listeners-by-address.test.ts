import { expect, it } from 'vitest';
import type { Address } from '../../../src/core/peer.ts';
import type { ListenerData } from '../../../src/listener/listener-data.ts';
import type { Listener } from '../../../src/listener/listener.ts';
import { ListenersByAddress } from '../../../src/listener/listeners-by-address.ts';

const ip = (host: string, port: number): Address => ({ kind: 'ip', host, port });

function listener(name: string, addresses: readonly Address[], ipv6Only = true): Listener {
  return { data: { name, addresses, ipv6Only } as unknown as ListenerData } as Listener;
}

it('finds who has the address, else who has any of its port', () => {
  const listeners = new ListenersByAddress();
  listeners.replace([
    listener('exact', [ip('10.0.0.1', 80), ip('10.0.0.2', 80)]),
    listener('second', [ip('10.0.0.1', 80)]),
    listener('any', [ip('0.0.0.0', 80)]),
    listener('six', [ip('::1', 80)]),
    listener('any-six', [ip('::', 80)]),
    listener('both', [ip('::', 81)], false),
    listener('pipe', [{ kind: 'pipe', host: '/x', port: 0 }]),
  ]);
  const found = (host: string, port: number): string | undefined => listeners.find(ip(host, port))?.data.name;
  expect(found('10.0.0.1', 80)).toBe('exact');
  expect(found('10.0.0.2', 80)).toBe('exact');
  expect(found('10.0.0.3', 80)).toBe('any');
  expect(found('::1', 80)).toBe('six');
  expect(found('::2', 80)).toBe('any-six');
  expect(found('10.0.0.1', 81)).toBe('both');
  expect(found('10.0.0.1', 82)).toBeUndefined();
  listeners.replace([]);
  expect(found('10.0.0.1', 80)).toBeUndefined();
});
