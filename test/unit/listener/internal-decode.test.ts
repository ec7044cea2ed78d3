import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../src/core/rejection.ts';
import { internalAddress } from '../../../src/listener/internal-decode.ts';
import { ListenerSchema } from '../../../src/proto/envoy/config/listener/v3/listener_pb.js';

const support = { bufferBytes: 1 };

function decode(init: MessageInitShape<typeof ListenerSchema>, hasSupport = true) {
  const reasons = new Reasons('listener');
  const listenerSpecifier = { case: 'internalListener', value: {} } as const;
  const listener = create(ListenerSchema, { name: 'inside', listenerSpecifier, ...init });
  const address = internalAddress(listener, hasSupport ? support : null, reasons);
  return { address, reasons: reasons.list.map(({ message }) => message) };
}

test('its address is its name', () => {
  expect(decode({})).toEqual({ address: { kind: 'internal', host: 'inside', port: 0 }, reasons: [] });
});

test.each([
  [
    { address: {} },
    "error adding listener 'inside': address should not be used when an internal listener config is provided",
  ],
  [{ enableReusePort: true }, "error adding listener named 'inside': has unsupported tcp listener feature"],
  [{ tcpBacklogSize: 7 }, "error adding listener named 'inside': has unsupported tcp listener feature"],
  [{ freebind: true }, "error adding listener named 'inside': has unsupported tcp listener feature"],
] as const)('%j is refused in Envoy’s words', (init, reason) => {
  expect(decode(init).reasons).toEqual([reason]);
});

test('so is one that the bootstrap does not ask for', () => {
  expect(decode({}, false).reasons).toEqual([
    "error adding listener named 'inside': InternalListener bootstrap extension is mandatory",
  ]);
});
