import { expect, test } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { hideSecrets } from '../../../src/config/hidden-text.ts';
import { parseBootstrap } from '../../../src/config/parse.ts';
import { isSecretPath } from '../../../src/config/secret-fields.ts';

/** The whole text as it would be shown. */
function shown(text: string): string {
  return hideSecrets(text, 0, readConfig({ path: 'envoy.yaml', text }));
}

test.each([
  ['users: { inline_string: "a:b" } # c', 'users: { inline_string: ***** } # c'],
  ['privateKey: { inlineBytes: aHVz }', 'privateKey: { inlineBytes: **** }'],
  ['{"keys":[{"inline_string":"x"}],"name":"n"}', '{"keys":[{"inline_string":***}],"name":"n"}'],
  [
    'secrets: { one: { inline_string: x }, two: { inline_string: y } }',
    'secrets: { one: { inline_string: * }, two: { inline_string: * } }',
  ],
  [
    'users:\n  inline_string: |\n    a:b\n    c:d\nname: n\n',
    'users:\n  inline_string: |\n    ***\n    ***\nname: n\n',
  ],
  ['x: &a hush\nusers: { inline_string: *a }', 'x: &a ****\nusers: { inline_string: *a }'],
  ['users: { filename: /x }', 'users: { filename: /x }'],
  ['lua: { inline_string: x }', 'lua: { inline_string: x }'],
  ['users: { other: { deeper: { x: hush } } }', 'users: { other: { deeper: { x: hush } } }'],
  ['users: a:hush', 'users: ******'],
  ['users: { inline_sting: hush, name: n }', 'users: { inline_sting: ****, name: n }'],
  ['keys: [{ inline_string: [hush] }]', 'keys: [{ inline_string: [****] }]'],
])('%j shows as %j', (text, wanted) => {
  expect(shown(text)).toBe(wanted);
});

test('of a text that is none, whatever stands behind such a field is hidden', () => {
  expect(shown('lua: { inline_string: "hush')).toBe('lua: { inline_string: *****');
});

test('aliases of aliases are looked through once', () => {
  const lines = Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} { x: *a${i}, y: *a${i} }`);
  const text = ['a0: &a0 { users: { inline_string: hush } }', ...lines].join('\n');
  expect(shown(text)).toBe(text.replace('hush', '****'));
});

test.each([
  ['static_resources.secrets[0].generic_secret.secret.inline_string', true],
  ['a.tls_certificates[1].private_key', true],
  ['a.privateKey.inlineBytes', true],
  ['a.users.filename', false],
  ['static_resources.secrets[0].name', false],
  ['a.password_of.x', false],
  ['', false],
])('%j: a secret: %j', (path, wanted) => {
  expect(isSecretPath(path)).toBe(wanted);
});

test.each(['hush', '{ inline_bytes: "hush!*" }', '{ inline_string: { hush: 1 } }'])('%s is not said', (value) => {
  const text = `static_resources: { secrets: [{ name: a, generic_secret: { secret: ${value} } }] }`;
  const { reasons } = parseBootstrap(readConfig({ path: 'envoy.yaml', text }));
  expect(reasons.length).toBeGreaterThan(0);
  expect(JSON.stringify(reasons)).not.toContain('hush!');
  expect(JSON.stringify(reasons)).not.toContain('found \\"');
});
