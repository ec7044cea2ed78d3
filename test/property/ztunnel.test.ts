import { describe, expect, test } from 'vitest';
import { formatIp } from '../../src/core/ip-address.ts';
import { formatAuthority, parseAuthority } from '../../src/tunnel/hbone/authority.ts';
import { CniError, readCniRequest } from '../../src/ztunnel/cni/cni-messages.ts';
import { SocksReader } from '../../src/ztunnel/socks/socks-reader.ts';
import { decodeAddress } from '../../src/ztunnel/state/address-decode.ts';
import { decodeAuthorization } from '../../src/ztunnel/state/authorization-decode.ts';
import * as fc from './chance.ts';

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => formatIp(bytes));
const port = fc.integer({ min: 1, max: 65_535 });

describe('the authority of a CONNECT', () => {
  test('of an address is read as it was written', () => {
    const ipv6 = fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .filter((bytes) => bytes[0] !== 0)
      .map((bytes) => formatIp(bytes));
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), port, (host, number) => {
        expect(parseAuthority(formatAuthority(host, number))).toEqual({ isAddress: true, host, port: number });
      }),
    );
  });

  test('may be anything, and is then refused or has a port', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[[\]0-9a-f.:]{0,30}$/));
    fc.assert(
      fc.property(text, (authority) => {
        const target = parseAuthority(authority);
        if (target !== null) expect(target.port).toBeGreaterThan(0);
      }),
    );
  });
});

test('whatever the CNI plugin sends is a message or is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        expect(readCniRequest(bytes).kind).toBeTruthy();
      } catch (error) {
        expect(error).toBeInstanceOf(CniError);
      }
    }),
  );
});

test('whatever istiod sends is a resource or is refused by an Error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeAddress, decodeAuthorization]) {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }
    }),
  );
});

test('what a SOCKS client wants does not depend on how its bytes come', () => {
  const request = fc.oneof(
    fc.tuple(ipv4, port).map(([host, number]) => ({ type: 1, host: host.split('.').map(Number), number })),
    fc
      .tuple(fc.stringMatching(/^[a-z.]{1,40}$/), port)
      .map(([host, number]) => ({ type: 3, host: [host.length, ...Buffer.from(host)], number })),
  );
  fc.assert(
    fc.property(
      request,
      fc.uint8Array({ maxLength: 20 }),
      fc.array(fc.nat(80)),
      ({ type, host, number }, rest, cuts) => {
        const bytes = Uint8Array.from([5, 1, 0, 5, 1, 0, type, ...host, number >> 8, number & 255, ...rest]);
        const whole = new SocksReader();
        whole.read(bytes);
        expect(whole.state).toMatchObject({ kind: 'wanted', port: number });
        expect(Buffer.from(whole.rest)).toEqual(Buffer.from(rest));
        const pieces = new SocksReader();
        const places = [...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
        let at = 0;
        let isGreeted = false;
        const behind: number[] = [];
        for (const place of places) {
          const piece = bytes.subarray(at, place);
          at = place;
          if (pieces.state.kind === 'wanted') behind.push(...piece);
          else isGreeted = pieces.read(piece) || isGreeted;
        }
        expect(isGreeted).toBe(true);
        expect(pieces.state).toEqual(whole.state);
        expect([...pieces.rest, ...behind]).toEqual([...rest]);
      },
    ),
  );
});

test('whatever a SOCKS client says ends in a state', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
      const reader = new SocksReader();
      for (const chunk of chunks)
        if (reader.state.kind === 'greeting' || reader.state.kind === 'request') reader.read(chunk);
      expect(['greeting', 'request', 'wanted', 'refused']).toContain(reader.state.kind);
    }),
  );
});
