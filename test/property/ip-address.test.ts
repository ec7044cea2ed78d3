import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { formatIp, parseIp } from '../../src/core/ip-address.ts';
import { holds, IpPrefixMap } from '../../src/match/ip-prefix-map.ts';
import * as fc from './chance.ts';

const ip = fc.oneof(fc.ipV4(), fc.ipV6());

test('an address is one exactly if Node says so', () => {
  const noise = fc.array(fc.constantFrom(...'0 1 25 255 256 01 : :: . a ffff 12345 %'.split(' ')), { maxLength: 10 });
  const text = fc.oneof(
    ip,
    noise.map((parts) => parts.join('')),
  );
  // Node knows zones (`fe80::1%eth0`), inet_pton does not.
  fc.assert(
    fc.property(text, (one) => {
      expect(parseIp(one) !== null).toBe(isIP(one) !== 0 && !one.includes('%'));
    }),
  );
});

test('what is written is read again, and IPv6 as the URL standard writes it', () => {
  fc.assert(
    fc.property(ip, (text) => {
      const bytes = parseIp(text)!;
      const written = formatIp(bytes);
      expect(parseIp(written)).toEqual(bytes);
      // The URL standard writes a dotted tail in hexadecimal.
      if (bytes.length === 16 && !written.includes('.'))
        expect(`[${written}]`).toBe(new URL(`http://[${text}]`).hostname);
    }),
  );
});

test('the longest range that holds an address is found', () => {
  const near = fc
    .tuple(fc.constantFrom('10.0.0.0', '10.128.0.0', '10.1.2.3', '2001:db8::', '::ffff'), fc.nat(128))
    .map(([address, length]) => ({ address, length: Math.min(length, 8 * parseIp(address)!.length) }));
  const sought = fc.constantFrom('10.0.0.1', '10.128.0.0', '10.1.2.3', '11.0.0.0', '2001:db8::1', '2001::', '::1');
  fc.assert(
    fc.property(fc.array(near, { maxLength: 8 }), sought, (ranges, text) => {
      const address = parseIp(text)!;
      const map = new IpPrefixMap<number>();
      for (const range of ranges) map.set(range, range.length);
      const lengths = ranges.filter((range) => holds(range, address)).map(({ length }) => length);
      expect(map.find(address)).toBe(lengths.length === 0 ? undefined : Math.max(...lengths));
      expect(map.findAll(address)).toEqual([...new Set(lengths)].toSorted((a, b) => b - a));
    }),
  );
});
