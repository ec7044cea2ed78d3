import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { addressFromRight } from '../../src/proxy/http/request/client-address.ts';
import { CidrRanges, parseIp } from '../../src/proxy/http/request/ip-address.ts';
import * as fc from './chance.ts';

const ip = fc.oneof(fc.ipV4(), fc.ipV6());

test('an address is one exactly if Node says so', () => {
  const noise = fc.array(fc.constantFrom(...'0 1 25 255 256 : :: . a ffff 12345 %'.split(' ')), { maxLength: 10 });
  fc.assert(
    fc.property(
      fc.oneof(
        ip,
        noise.map((parts) => parts.join('')),
      ),
      (text) => {
        // Node knows zones (`fe80::1%eth0`), inet_pton does not.
        expect(parseIp(text) !== null).toBe(isIP(text) !== 0 && !text.includes('%'));
      },
    ),
  );
});

test('an IPv6 address is printed as the URL standard prints it', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const printed = parseIp(text)!.text;
      expect(parseIp(printed)!.groups).toEqual(parseIp(text)!.groups);
      // The URL standard prints a dotted tail in hexadecimal.
      if (!printed.includes('.')) expect(`[${printed}]`).toBe(new URL(`http://[${text}]`).hostname);
    }),
  );
});

test('counting from the right finds the address that was put there', () => {
  const spaced = fc.tuple(ip, fc.constantFrom('', ' ', '  ')).map(([address, space]) => space + address + space);
  fc.assert(
    fc.property(fc.array(spaced, { minLength: 1, maxLength: 8 }), fc.nat(10), (entries, skip) => {
      const found = addressFromRight(entries.join(','), skip);
      const expected = entries[entries.length - 1 - skip];
      expect(found?.text).toBe(expected === undefined ? undefined : parseIp(expected.trim())!.text);
    }),
  );
});

test('a network holds its own addresses', () => {
  fc.assert(
    fc.property(ip, fc.nat(128), (address, length) => {
      const bits = address.includes(':') ? length : length % 33;
      expect(new CidrRanges([{ address, length: bits }]).contains(parseIp(address)!)).toBe(true);
    }),
  );
});

test('a bit that differs inside the prefix is outside the network', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(octets, fc.nat(31), fc.integer({ min: 0, max: 32 }), (parts, bit, length) => {
      const flipped = parts.map((octet, i) => (i === bit >> 3 ? octet ^ (128 >> (bit & 7)) : octet));
      const ranges = new CidrRanges([{ address: parts.join('.'), length }]);
      expect(ranges.contains(parseIp(flipped.join('.'))!)).toBe(bit >= length);
    }),
  );
});
