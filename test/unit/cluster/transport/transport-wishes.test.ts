import { expect, test } from 'vitest';
import { TransportWishes } from '../../../../src/cluster/transport/transport-wishes.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { noTransportOptions, type TransportOptions, type UpstreamTransport } from '../../../../src/net/transport.ts';
import { MemoryConnection } from '../memory-network.ts';

const none = { autoSni: false, autoSanValidation: false, header: '' };
const dial = (): never => {
  throw new Error('nobody dials here');
};
const secure: UpstreamTransport = { isSecure: true, dial };
const plain: UpstreamTransport = { isSecure: false, dial };
const { peer } = new MemoryConnection(1, { kind: 'ip', host: '10.0.0.1', port: 80 });

function fields(value: string): Headers {
  const headers = new Headers();
  headers.add('x-sni', value);
  return headers;
}

test('what asks for nothing costs nothing', () => {
  expect(new TransportWishes(none).of(secure, 'a', null, null, peer)).toBe(noTransportOptions);
  const wishes = new TransportWishes({ ...none, autoSni: true });
  expect(wishes.of(plain, 'a', null, new Map([['envoy.network.upstream_server_name', 'b']]), peer)).toBe(
    noTransportOptions,
  );
  expect(wishes.of(secure, '', null, null, peer)).toBe(noTransportOptions);
});

test.each([
  ['a.test', 'a.test', 'a.test'],
  ['a.test:8080', 'a.test', 'a.test'],
  ['10.1.1.1:80', '', '10.1.1.1'],
  ['[::1]:80', '', '::1'],
  ['::1', '', '::1'],
  ['[::1', '[::1', '[::1'],
])('the authority %s', (authority, serverName, san) => {
  const wishes = new TransportWishes({ ...none, autoSni: true, autoSanValidation: true });
  const options = wishes.of(secure, authority, null, null, peer);
  expect(options).toMatchObject({ serverName, subjectAltNames: [san], downstream: null });
  expect(wishes.of(secure, authority, null, null, peer)).toBe(options);
});

test('an address is asked for nothing where only SNI is wanted', () => {
  const wishes = new TransportWishes({ ...none, autoSni: true });
  expect(wishes.of(secure, '10.1.1.1', null, null, peer)).toBe(noTransportOptions);
});

test('a header goes before the authority, if it is there', () => {
  const wishes = new TransportWishes({ ...none, autoSni: true, header: 'x-sni' });
  expect(wishes.of(secure, 'a.test', fields('b.test:1'), null, peer).serverName).toBe('b.test');
  expect(wishes.of(secure, 'a.test', fields(''), null, peer).serverName).toBe('a.test');
});

test('filter state goes before all', () => {
  const wishes = new TransportWishes({ autoSni: true, autoSanValidation: true, header: '' });
  const state = new Map([
    ['envoy.network.upstream_server_name', 'b.test'],
    ['envoy.network.upstream_subject_alt_names', 'c.test,d.test'],
    ['envoy.network.application_protocols', 'istio,h2'],
  ]);
  expect(wishes.of(secure, 'a.test', null, state, peer)).toMatchObject({
    serverName: 'b.test',
    subjectAltNames: ['c.test', 'd.test'],
    applicationProtocols: ['istio', 'h2'],
  });
  expect(wishes.of(secure, 'a.test', null, new Map([['other', 1]]), peer)).toMatchObject({ serverName: 'a.test' });
});

test('keys are alike where names differ in case only, and tell every part apart', () => {
  const wishes = new TransportWishes({ ...none, autoSni: true });
  const key = (authority: string): string => wishes.of(secure, authority, null, null, peer).key;
  expect(key('A.test')).toBe(key('a.TEST:80'));
  expect(key('a.test')).not.toBe(key('b.test'));
});

test('whose connection it is matters where the transport says so', () => {
  const telling: UpstreamTransport = { isSecure: false, dial, downstreamKey: () => 'whose' };
  const options = new TransportWishes(none).of(telling, '', null, null, peer);
  expect(options.downstream).toBe(peer);
  expect(options.key).toContain('whose');
  expect(new TransportWishes(none).of(telling, '', null, null, null)).toBe(noTransportOptions);
});

test('connections that leave from elsewhere are told apart by that, and shared by no others', () => {
  const wishes = new TransportWishes(none);
  const asked = (host: string, mark: number): TransportOptions =>
    wishes.of(plain, '', null, null, { ...peer, source: { host, mark } });
  expect(asked('192.0.2.1', 7).source).toEqual({ host: '192.0.2.1', mark: 7 });
  expect(asked('192.0.2.1', 7).key).toBe(asked('192.0.2.1', 7).key);
  const others = [asked('192.0.2.2', 7), asked('192.0.2.1', 0), noTransportOptions];
  for (const { key } of others) expect(key).not.toBe(asked('192.0.2.1', 7).key);
});
