import type { Group, Row } from '../../row.ts';
import { says } from './check-answers.ts';
import { asking, denied, field, filter, grpc, ok } from './ext-authz-config.ts';

const decision = `${filter}.shadow`;
const log = [
  `FILTER_STATE(${decision}:TYPED)`,
  `FILTER_STATE(${decision}:PLAIN)`,
  `FILTER_STATE(${decision}:FIELD:check_result)`,
  `FILTER_STATE(${decision}:FIELD:status_code)`,
];

const error = (value: object) => says({ status: { code: 13 }, httpResponse: { case: 'errorResponse', value } });

const rows: readonly Row[] = [
  { name: 'allowed', upstream: [ok(), {}] },
  {
    name: 'allowed with changes',
    upstream: [
      ok({
        headers: [field('x-set', 'v', { append: false })],
        headersToRemove: ['x-away'],
        responseHeadersToAdd: [field('x-more', 'm')],
        queryParametersToSet: [{ key: 'a', value: 'b' }],
      }),
      {},
    ],
    request: { path: '/x', headers: [['x-away', '1']] },
  },
  { name: 'denied', upstream: [denied(), {}] },
  {
    name: 'denied with everything',
    upstream: [
      denied({
        status: { code: 401 },
        body: 'no',
        headers: [field('x-why', 'because', { append: false }), field('x-twice', '1', { append: true })],
      }),
      {},
    ],
  },
  {
    name: 'an error with everything',
    upstream: [error({ status: { code: 503 }, body: 'e', headers: [field('x-e', 'f', { append: false })] }), {}],
  },
  { name: 'an error', upstream: [{ status: 500 }, {}] },
  { name: 'nonsense', upstream: [{ status: 200, headers: [['content-type', 'application/grpc']], body: 'x' }, {}] },
];

const invalid: readonly Row[] = [
  { name: 'an invalid answer', upstream: [ok({ headers: [field('x bad', 'v', { append: false })] }), {}] },
  { name: 'an invalid denial', upstream: [denied({ headers: [field('x bad', 'v', { append: false })] }), {}] },
];

const disabled = `filter_enabled: { default_value: { numerator: 0 } }, deny_at_disable: { default_value: true }`;

/** Decisions that are only noted. */
export const extAuthzShadowGroups: readonly Group[] = [
  asking('shadow mode', `${grpc}, shadow_mode: true`, rows, { log }),
  asking(
    'shadow mode, failures allowed',
    `${grpc}, shadow_mode: true, failure_mode_allow: true, failure_mode_allow_header_add: true`,
    rows.slice(4, 6),
    { log },
  ),
  asking('shadow mode, validated', `${grpc}, shadow_mode: true, validate_mutations: true`, invalid, { log }),
  asking(
    'metadata of the filter',
    `${grpc}, filter_metadata: { a: b }`,
    [{ name: 'is for others', upstream: [ok(), {}] }],
    { log },
  ),
  asking('shadow mode, disabled', `${grpc}, shadow_mode: true, ${disabled}`, [{ name: 'denied at once' }], { log }),
];
