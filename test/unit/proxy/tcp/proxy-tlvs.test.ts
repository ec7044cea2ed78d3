import { expect, test } from 'vitest';
import type { ProxyTlv } from '../../../../src/core/peer.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { ProxyTlvs } from '../../../../src/proxy/tcp/proxy-tlvs.ts';
import type { ProxyTlvsData } from '../../../../src/proxy/tcp/tcp-proxy-data.ts';
import { MemoryConnection } from '../../cluster/memory-network.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function told(merge: ProxyTlvsData['merge'], given: readonly ProxyTlv[]): string[] {
  const outcome = new Outcome();
  const { peer } = new MemoryConnection(1, { kind: 'ip', host: '192.0.2.1', port: 5 });
  outcome.peer = Object.assign(Object.create(peer), { proxyTlvs: given });
  const tlvs = new ProxyTlvs({ entries: [{ type: 2, value: bytes('own') }], merge });
  return tlvs.of(outcome)!.proxyTlvs!.map(({ type, value }) => `${type} ${Buffer.from(value).toString()}`);
}

const given = [1, 2].map((type) => ({ type, value: bytes('given') }));

test.each([
  ['add-if-absent', ['1 given', '2 given']],
  ['overwrite', ['2 own', '1 given']],
  ['append', ['1 given', '2 given', '2 own']],
] as const)('%s', (merge, expected) => {
  expect(told(merge, [])).toEqual(['2 own']);
  expect(told(merge, given)).toEqual(expected);
});
