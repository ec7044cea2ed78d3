import { expect, test } from 'vitest';
import { stripHostPort, stripTrailingHostDot } from '../../../../../src/proxy/http/request/host.ts';

// Observed on Envoy 1.39.3: host, without its port (any), without the port 10000 (matching), without the trailing dot.
test.each([
  ['h.test', 'h.test', 'h.test', 'h.test'],
  ['h.test:10000', 'h.test', 'h.test', 'h.test:10000'],
  ['h.test:80', 'h.test', 'h.test:80', 'h.test:80'],
  ['h.test.', 'h.test.', 'h.test.', 'h.test'],
  ['h.test.:80', 'h.test.', 'h.test.:80', 'h.test:80'],
  ['h.test.:10000', 'h.test.', 'h.test.', 'h.test:10000'],
  ['[::1]:80', '[::1]', '[::1]:80', '[::1]:80'],
  ['[::1]', '[::1]', '[::1]', '[::1]'],
  ['h.test:', 'h.test:', 'h.test:', 'h.test:'],
  ['h.test:abc', 'h.test:abc', 'h.test:abc', 'h.test:abc'],
  ['.', '.', '.', ''],
  [':80', '', ':80', ':80'],
  ['h.test..', 'h.test..', 'h.test..', 'h.test.'],
  ['H.test.', 'H.test.', 'H.test.', 'H.test'],
  ['h:1:2', 'h:1', 'h:1:2', 'h:1:2'],
])('%s', (host, any, matching, undotted) => {
  expect(stripHostPort(host, -1)).toBe(any);
  expect(stripHostPort(host, 10000)).toBe(matching);
  expect(stripTrailingHostDot(host)).toBe(undotted);
});
