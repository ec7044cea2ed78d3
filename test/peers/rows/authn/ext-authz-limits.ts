import type { Group, Row } from '../../row.ts';
import { asking, denied, field, grpc, ok } from './ext-authz-config.ts';

const many = (count: number, size = 1) =>
  Array.from({ length: count }, (_, i) => field(`x-n-${i}`, 'v'.repeat(size), { append: false }));
const rows: readonly Row[] = [
  { name: 'a few for the client', upstream: [ok({ responseHeadersToAdd: many(50) }), {}] },
  { name: 'many for the client', upstream: [ok({ responseHeadersToAdd: many(150) }), {}] },
  { name: 'large ones for the client', upstream: [ok({ responseHeadersToAdd: many(10, 10_000) }), {}] },
  { name: 'many in a denial', upstream: [denied({ headers: many(150) })] },
  { name: 'large ones in a denial', upstream: [denied({ headers: many(10, 10_000) })] },
  { name: 'many for the upstream', upstream: [ok({ headers: many(150) }), {}] },
  ...[85, 90, 95].map((count): Row => ({
    name: `${count} for the upstream`,
    upstream: [ok({ headers: many(count) }), {}],
  })),
  {
    name: 'removed behind',
    upstream: [ok({ headers: many(150), headersToRemove: many(150).map(({ header }) => header.key) }), {}],
  },
  { name: 'less than that for the upstream', upstream: [ok({ headers: many(6, 10_000) }), {}] },
  { name: 'large ones for the upstream', upstream: [ok({ headers: many(10, 10_000) }), {}] },
];

/** What clients are told of what the server says. */
const answers: readonly Row[] = [
  ...rows.slice(0, 5),
  ...[94, 95, 96, 97, 98].map((count): Row => ({
    name: `${count} for the client`,
    upstream: [ok({ responseHeadersToAdd: many(count) }), {}],
  })),
  ...[97, 98, 99, 100].map((count): Row => ({
    name: `${count} in a denial`,
    upstream: [denied({ headers: many(count) })],
  })),
  {
    name: 'a field that is there already',
    upstream: [
      ok({ responseHeadersToAdd: [...many(95), field('x-there', 'new', { append: false })] }),
      { headers: [['x-there', 'old']] },
    ],
  },
];

/** Requests that grow larger than any may come. */
export const extAuthzLimitsGroups: readonly Group[] = [
  asking('limits', grpc, rows),
  asking('limits of answers', `${grpc}, enforce_response_header_limits: true`, answers),
  asking('limits, failures allowed', `${grpc}, failure_mode_allow: true`, rows),
];
