import { expect, test } from 'vitest';
import { parseGoogleTarget } from '../../../../src/identity/decode/google-target.ts';

const server = (host: string, port: number) => ({ host, port });

test.each([
  ['a.test:80', { kind: 'dns', servers: [server('a.test', 80)], authority: 'a.test:80' }],
  ['a.test', { kind: 'dns', servers: [server('a.test', 443)], authority: 'a.test' }],
  ['dns:a.test:80', { kind: 'dns', servers: [server('a.test', 80)], authority: 'a.test:80' }],
  ['dns:///a.test:80', { kind: 'dns', servers: [server('a.test', 80)], authority: 'a.test:80' }],
  ['127.0.0.1:80', { kind: 'static', servers: [server('127.0.0.1', 80)], authority: '127.0.0.1:80' }],
  ['dns:///[::1]:80', { kind: 'static', servers: [server('::1', 80)], authority: '[::1]:80' }],
  [
    'ipv4:1.2.3.4:5,6.7.8.9:10',
    { kind: 'static', servers: [server('1.2.3.4', 5), server('6.7.8.9', 10)], authority: '1.2.3.4:5' },
  ],
  ['ipv6:%5B::1%5D:5', { kind: 'static', servers: [server('::1', 5)], authority: '[::1]:5' }],
  ['unix:a/b', { kind: 'pipe', servers: [server('a/b', 0)], authority: 'localhost' }],
  ['unix:///a/b', { kind: 'pipe', servers: [server('/a/b', 0)], authority: 'localhost' }],
])('%s', (uri, target) => {
  expect(parseGoogleTarget(uri)).toEqual(target);
});

test.each([
  ['', /is no name/],
  ['a b', /is no name/],
  ['a:99999', /is no name/],
  ['dns://8.8.8.8/a.test', /is no name/],
  ['ipv4:[::1]:5', /is no address and port of ipv4/],
  ['ipv4:1.2.3.4', /is no address and port of ipv4/],
  ['unix:', /needs a path/],
  ['xds:///a', /'xds:' are not supported by sekisho/],
])('%s is refused', (uri, reason) => {
  expect(parseGoogleTarget(uri)).toMatch(reason);
});
