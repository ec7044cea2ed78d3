import { expect, test } from 'vitest';
import { ConfiguredRedirects } from '../../../../src/route/redirect/internal-redirects.ts';
import type { RedirectHistory } from '../../../../src/route/route.ts';
import { anyHost, decodeYaml, forwardOf, request, tableFrom } from '../fixture.ts';

const routing = (fields: string): string => anyHost(`{ match: { prefix: / }, route: { cluster: c, ${fields} } }`);
const policyOf = (fields: string) =>
  forwardOf(tableFrom(routing(fields)).match(request('/'), { random: 0 })).redirects ?? null;
const fresh: RedirectHistory = { isNew: () => true };

test('defaults', () => {
  const policy = policyOf('internal_redirect_policy: {}')!;
  expect([301, 302, 303].map((code) => policy.follows(code))).toEqual([false, true, false]);
  expect(policy.maxRedirects).toBe(1);
  expect(policy.allowsCrossScheme).toBe(false);
  expect(policy.accepts({ from: '', route: '', wasSecure: true, isSecure: false }, fresh)).toBe(true);
});

test('codes that are no redirects are passed over', () => {
  const policy = policyOf('internal_redirect_policy: { redirect_response_codes: [200, 307] }')!;
  expect([200, 302, 307].map((code) => policy.follows(code))).toEqual([false, false, true]);
});

test('the older fields', () => {
  expect(policyOf('internal_redirect_action: HANDLE_INTERNAL_REDIRECT, max_internal_redirects: 3')?.maxRedirects).toBe(
    3,
  );
  expect(policyOf('max_internal_redirects: 3')).toBeNull();
});

test('predicates', () => {
  const base = { maxRedirects: 1, codes: [], allowsCrossScheme: true, headersToCopy: [] };
  const target = { from: 'a', route: 'b', wasSecure: false, isSecure: true };
  const accepts = (...predicates: ConstructorParameters<typeof ConfiguredRedirects>[0]['predicates']) =>
    new ConfiguredRedirects({ ...base, predicates }).accepts(target, { isNew: (from, to) => from === to });
  expect(accepts({ kind: 'listed', routes: ['b'] })).toBe(true);
  expect(accepts({ kind: 'listed', routes: ['a'] })).toBe(false);
  expect(accepts({ kind: 'previous' })).toBe(false);
  expect(accepts({ kind: 'safe' })).toBe(false);
});

test.each([
  ['response_headers_to_copy: [":path"]', ':-prefixed headers or Hosts may not be specified here.'],
  ['predicates: [{ name: x }]', "internal redirect predicate 'x' with type URL '' is not supported by sekisho"],
])('%s is refused', (fields, message) => {
  const { reasons } = decodeYaml(routing(`internal_redirect_policy: { ${fields} }`));
  expect(reasons.map((reason) => reason.message)).toContain(message);
});
