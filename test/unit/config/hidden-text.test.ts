import { expect, test } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { hideSecrets } from '../../../src/config/hidden-text.ts';

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
  ['users: { other: { deeper: { inline_string: x } } }', 'users: { other: { deeper: { inline_string: x } } }'],
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
