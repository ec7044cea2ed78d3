import { expect, test } from 'vitest';
import { dryRunMatches, judge, type AccessRequest } from '../../../../src/ztunnel/policy/access.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';

const request: AccessRequest = {
  sourceIp: '10.9.2.1',
  identity: 'spiffe://cluster.local/ns/web/sa/front',
  destinationIp: '10.9.3.1',
  destinationPort: 8080,
};
const plain = { ...request, identity: '' };

const policy = (action: 'Allow' | 'Deny', rules: string, dryRun = false): string =>
  `{ name: p-${action}, namespace: n, scope: Global, action: ${action}, dryRun: ${dryRun}, rules: ${rules} }`;

function verdict(asked: AccessRequest, ...policies: string[]): string {
  const { policies: read } = readLocalConfig(`policies: [${policies.join(', ')}]`);
  return judge(read, asked)?.reason ?? 'allowed';
}

const matches = (match: string): string => `[[[${match}]]]`;
const none = 'allow policies exist, but none allowed';
const denied = 'explicitly denied by: n/p-Deny';

test('without policies everything is allowed, and without a rule a policy means nobody', () => {
  expect(verdict(request)).toBe('allowed');
  expect(verdict(request, policy('Allow', '[]'))).toBe(none);
  expect(verdict(request, policy('Deny', '[]'))).toBe('allowed');
});

test('a denial wins over what allows', () => {
  const port = matches('{ destinationPorts: [8080] }');
  expect(verdict(request, policy('Allow', port))).toBe('allowed');
  expect(verdict(request, policy('Allow', port), policy('Deny', port))).toBe(denied);
});

test.each([
  ['{ principals: [!Exact cluster.local/ns/web/sa/front] }', 'allowed', none],
  ['{ principals: [!Prefix cluster.local/ns/web/] }', 'allowed', none],
  ['{ principals: [!Suffix /sa/front] }', 'allowed', none],
  ['{ principals: [!Presence []] }', 'allowed', none],
  ['{ notPrincipals: [!Presence []] }', none, 'allowed'],
  ['{ namespaces: [!Exact web] }', 'allowed', none],
  ['{ notNamespaces: [!Exact web] }', none, 'allowed'],
  ['{ serviceAccounts: [{ namespace: web, serviceAccount: front }] }', 'allowed', none],
  ['{ notServiceAccounts: [{ namespace: web, serviceAccount: front }] }', none, 'allowed'],
  ['{ sourceIps: [10.9.0.0/16] }', 'allowed', 'allowed'],
  ['{ sourceIps: [10.9.2.0/31] }', 'allowed', 'allowed'],
  ['{ sourceIps: [10.9.2.2/31] }', none, none],
  ['{ notSourceIps: [10.9.2.1/32] }', none, none],
  ['{ destinationIps: ["::/0"] }', none, none],
  ['{ destinationIps: [0.0.0.0/0], destinationPorts: [8080, 1] }', 'allowed', 'allowed'],
  ['{ notDestinationPorts: [8080] }', none, none],
  ['{}', none, none],
])('%s: %s, and without an identity %s', (match, withIdentity, without) => {
  expect(verdict(request, policy('Allow', matches(match)))).toBe(withIdentity);
  expect(verdict(plain, policy('Allow', matches(match)))).toBe(without);
});

test('rules are any, clauses are all, matches are any', () => {
  const web = '{ namespaces: [!Exact web] }';
  const ops = '{ namespaces: [!Exact ops] }';
  const port = '{ destinationPorts: [8080] }';
  expect(verdict(request, policy('Allow', `[[[${ops}]], [[${web}]]]`))).toBe('allowed');
  expect(verdict(request, policy('Allow', `[[[${web}], [${port}]]]`))).toBe('allowed');
  expect(verdict(request, policy('Allow', `[[[${ops}], [${port}]]]`))).toBe(none);
  expect(verdict(request, policy('Allow', `[[[${ops}, ${port}]]]`))).toBe('allowed');
  expect(verdict(request, policy('Allow', '[[[]]]'))).toBe('allowed');
});

test('a dry run changes nothing, and is told', () => {
  const port = matches('{ destinationPorts: [8080] }');
  expect(verdict(request, policy('Deny', port, true))).toBe('allowed');
  expect(verdict(request, policy('Allow', '[]', true))).toBe('allowed');
  const { policies } = readLocalConfig(`policies: [${policy('Deny', port, true)}]`);
  expect(dryRunMatches(policies, request)).toEqual(['n/p-Deny']);
});
