import { expect, test } from 'vitest';
import { HttpFilterBuilders, httpFilterKinds } from '../../../src/filter/builders.ts';

const fault = 'envoy.extensions.filters.http.fault.v3.HTTPFault';
const cors = 'envoy.extensions.filters.http.cors.v3.Cors';

test('only what is named is loaded', async () => {
  const filters = new HttpFilterBuilders();
  await filters.load([fault, 'envoy.extensions.filters.http.router.v3.Router']);
  expect(filters.get(fault)!.kind).toBe(fault);
  expect(filters.get(cors)).toBeUndefined();
  await filters.load([cors]);
  expect(filters.get(cors)!.kind).toBe(cors);
  expect(filters.get(fault)!.kind).toBe(fault);
});

test.each(httpFilterKinds)('%s leads to the filter that takes it', async (kind) => {
  const filters = new HttpFilterBuilders();
  await filters.load([kind]);
  const builder = filters.get(kind)!;
  expect([builder.kind, builder.perRouteKind]).toContain(kind);
  expect(httpFilterKinds).toContain(builder.perRouteKind ?? builder.kind);
});
