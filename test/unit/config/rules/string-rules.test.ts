import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { bytesRules, stringRules } from '../../../../src/config/rules/string-rules.ts';
import { BytesRulesSchema, KnownRegex, StringRulesSchema } from '../../../../src/proto/validate/validate_pb.js';

type StringInit = MessageInitShape<typeof StringRulesSchema>;
type BytesInit = MessageInitShape<typeof BytesRulesSchema>;

const cases: [rule: string, init: StringInit, right: string[], wrong: string[]][] = [
  ['const', { const: 'a' }, ['a'], ['', 'b']],
  ['len', { len: 2n }, ['ab', 'é😀'], ['', 'abc']],
  ['min_len', { minLen: 1n }, ['a', '😀'], ['']],
  ['max_len', { maxLen: 2n }, ['', '😀😀'], ['abc']],
  ['len_bytes', { lenBytes: 4n }, ['abcd', '😀'], ['abc', '😀a']],
  ['min_bytes', { minBytes: 2n }, ['é'], ['e']],
  ['max_bytes', { maxBytes: 2n }, ['é', ''], ['😀']],
  ['pattern', { pattern: '^[^/]*$' }, ['', 'a'], ['/']],
  ['prefix', { prefix: 'ab' }, ['abc'], ['ba']],
  ['suffix', { suffix: 'ab' }, ['cab'], ['ba']],
  ['contains', { contains: 'ab' }, ['cabd'], ['ba']],
  ['not_contains', { notContains: 'ab' }, ['ba'], ['cabd']],
  ['in', { in: ['a', 'b'] }, ['a', 'b'], ['c']],
  ['not_in', { notIn: ['a', 'b'] }, ['c'], ['a']],
  ['email', { wellKnown: { case: 'email', value: true } }, ['a.b@c.test'], ['a', '@c', 'a b@c']],
  ['hostname', { wellKnown: { case: 'hostname', value: true } }, ['a-b.test', 'a.'], ['', '-a', 'a..b', 'a_b']],
  ['ip', { wellKnown: { case: 'ip', value: true } }, ['1.2.3.4', '::1'], ['1.2.3', 'a']],
  ['ipv4', { wellKnown: { case: 'ipv4', value: true } }, ['1.2.3.4'], ['::1']],
  ['ipv6', { wellKnown: { case: 'ipv6', value: true } }, ['::1'], ['1.2.3.4']],
  ['uri', { wellKnown: { case: 'uri', value: true } }, ['http://a/b'], ['/a', 'a']],
  ['uri_ref', { wellKnown: { case: 'uriRef', value: true } }, ['/a', 'http://a'], ['http://[']],
  ['address', { wellKnown: { case: 'address', value: true } }, ['a.test', '::1'], ['a b']],
  [
    'uuid',
    { wellKnown: { case: 'uuid', value: true } },
    ['123e4567-e89b-12d3-a456-426614174000'],
    ['123e4567e89b12d3a456426614174000'],
  ],
  [
    'header name',
    { wellKnown: { case: 'wellKnownRegex', value: KnownRegex.HTTP_HEADER_NAME } },
    ['a-b', ':path', "!#$%&'*+-.^_|~`"],
    ['', 'a b', 'a:b', 'a\n', 'é'],
  ],
  [
    'header name, not strict',
    { wellKnown: { case: 'wellKnownRegex', value: KnownRegex.HTTP_HEADER_NAME }, strict: false },
    ['', 'a b', 'é'],
    ['a\n', 'a\r', 'a\0'],
  ],
  [
    'header value',
    { wellKnown: { case: 'wellKnownRegex', value: KnownRegex.HTTP_HEADER_VALUE } },
    ['', 'a b\t', 'é'],
    ['a\n', '\x01', '\x7f'],
  ],
];

describe('stringRules', () => {
  it.each(cases)('%s', (_, init, right, wrong) => {
    const rules = stringRules(create(StringRulesSchema, init));
    const broken = (text: string): string[] => rules.map((rule) => rule(text)).filter((allowed) => allowed !== null);
    for (const text of right) expect(broken(text), text).toEqual([]);
    for (const text of wrong) expect(broken(text), text).toEqual([expect.stringMatching(/^must /)]);
  });
});

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'latin1'));
const byteCases: [rule: string, init: BytesInit, right: string[], wrong: string[]][] = [
  ['const', { const: bytes('a') }, ['a'], ['b']],
  ['len', { len: 1n }, ['a'], ['ab']],
  ['min_len', { minLen: 1n }, ['a'], ['']],
  ['max_len', { maxLen: 1n }, ['a'], ['ab']],
  ['pattern', { pattern: '^\\xff$' }, ['\xff'], ['a']],
  ['prefix', { prefix: bytes('a') }, ['ab'], ['ba']],
  ['suffix', { suffix: bytes('a') }, ['ba'], ['ab']],
  ['contains', { contains: bytes('a') }, ['bab'], ['b']],
  ['in', { in: [bytes('a')] }, ['a'], ['b']],
  ['not_in', { notIn: [bytes('a')] }, ['b'], ['a']],
  ['ip', { wellKnown: { case: 'ip', value: true } }, ['abcd', 'a'.repeat(16)], ['abc']],
  ['ipv4', { wellKnown: { case: 'ipv4', value: true } }, ['abcd'], ['a'.repeat(16)]],
  ['ipv6', { wellKnown: { case: 'ipv6', value: true } }, ['a'.repeat(16)], ['abcd']],
];

describe('bytesRules', () => {
  it.each(byteCases)('%s', (_, init, right, wrong) => {
    const rules = bytesRules(create(BytesRulesSchema, init));
    const broken = (text: string): string[] => rules.map((rule) => rule(bytes(text))).filter((one) => one !== null);
    for (const text of right) expect(broken(text), text).toEqual([]);
    for (const text of wrong) expect(broken(text), text).toEqual([expect.stringMatching(/^must /)]);
  });
});
