import { isIPv6 } from 'node:net';
import { expect, test } from 'vitest';
import { parseSocketAddress } from '../../src/core/socket-address.ts';
import { formatAddress } from '../../src/core/peer.ts';
import * as fc from './chance.ts';

test('an address that was written down is read again', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }), (host, port) => {
      const text = formatAddress({ kind: 'ip', host, port });
      const found = parseSocketAddress(text);
      expect(found?.port).toBe(port);
      if (isIPv6(host)) expect(parseSocketAddress(formatAddress(found!))).toEqual(found);
      else expect(found?.host).toBe(host);
    }),
  );
});

test('any text is an address or none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = parseSocketAddress(text);
      if (found !== null) expect(parseSocketAddress(formatAddress(found))).toEqual(found);
    }),
  );
});
