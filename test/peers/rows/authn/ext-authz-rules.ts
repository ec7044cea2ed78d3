import type { Group, Row } from '../../row.ts';
import { asking, field, grpc, ok } from './ext-authz-config.ts';

const request = {
  path: '/p',
  headers: [
    ['x-a', '1'],
    ['x-b', 'b'],
    ['x-gone', '1'],
    ['secret', '1'],
    ['x-envoy-mine', '1'],
  ],
} as const;

const changing = (name: string, value: object): Row => ({ name, request, upstream: [ok(value), {}] });

const rows: readonly Row[] = [
  changing('a field', { headers: [field('x-a', 'new', { append: false }), field('X-New', 'new')] }),
  changing('one field of two', { headers: [field('x-a', 'new', { append: false }), field('secret', 'x')] }),
  changing('a field of Envoy', { headers: [field('x-envoy-mine', '2', { append: false })] }),
  changing('a new field of Envoy', { headers: [field('x-envoy-other', '2', { append: false })] }),
  changing('the path', { headers: [field(':path', '/other', { append: false })] }),
  changing('the method', { headers: [field(':method', 'POST', { append: false })] }),
  changing('the host', { headers: [field('host', 'other', { append: false })] }),
  changing('the authority', { headers: [field(':authority', 'other', { append: false })] }),
  changing('the scheme', { headers: [field(':scheme', 'https', { append: false })] }),
  changing('appended', { headers: [field('secret', '2', { append: true })] }),
  changing('appended to nothing', { headers: [field('secret2', '2', { append: true })] }),
  changing('added where absent', { headers: [field('secret', '2', { appendAction: 1 })] }),
  changing('overwritten where there', { headers: [field('secret2', '2', { appendAction: 3 })] }),
  changing('a removed field', { headersToRemove: ['x-gone'] }),
  changing('removed fields', { headersToRemove: ['secret', 'x-gone', 'X-Envoy-Mine'] }),
  changing('a removed host', { headersToRemove: ['host', ':path'] }),
  changing('parameters', { queryParametersToSet: [{ key: 'a', value: 'b' }] }),
  changing('fields of the answer', { responseHeadersToAdd: [field('secret', '1')] }),
  changing('a bad value', { headers: [field('x-a', 'a\nb', { append: false })] }),
];

const ruled = (name: string, rules: string): Group =>
  asking(`rules: ${name}`, `${grpc}, decoder_header_mutation_rules: { ${rules} }`, rows);

/** `decoder_header_mutation_rules`. */
export const extAuthzRulesGroups: readonly Group[] = [
  ruled('none', ''),
  ruled('errors', "disallow_is_error: true, disallow_expression: { regex: 'secret.*' }"),
  ruled(
    'expressions',
    "disallow_expression: { regex: 'secret.*' }, allow_expression: { regex: 'x-envoy-mine|secret' }, disallow_all: true",
  ),
  ruled('system', 'disallow_system: true, allow_all_routing: true, allow_envoy: true, disallow_is_error: true'),
  ruled('routing', 'allow_all_routing: true, allow_envoy: true'),
];
