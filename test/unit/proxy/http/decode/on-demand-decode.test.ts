import { expect, it } from 'vitest';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { onDemandDecoder, onDemandPerRouteDecoder } from '../../../../../src/proxy/http/decode/on-demand-decode.ts';
import {
  OnDemandSchema,
  PerRouteConfigSchema,
} from '../../../../../src/proto/envoy/extensions/filters/http/on_demand/v3/on_demand_pb.js';
import { fromJson, toBinary } from '../../../../../src/proto/protobuf.js';

type Json = Parameters<typeof fromJson>[1];

const ads = { ads: {}, resource_api_version: 'V3' };
const noExtensions = { open: () => null };

function decode(json: Json, isOfRoute = false) {
  const reasons = new Reasons('filter');
  const data = isOfRoute
    ? onDemandPerRouteDecoder.decode(
        toBinary(PerRouteConfigSchema, fromJson(PerRouteConfigSchema, json)),
        reasons,
        noExtensions,
      )
    : onDemandDecoder.decode(toBinary(OnDemandSchema, fromJson(OnDemandSchema, json)), reasons, noExtensions);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

it.each([false, true])(
  'says where clusters come from, and how long they are waited for (of a route: %s)',
  (isOfRoute) => {
    const config = { initialFetchTimeoutMs: 15_000, from: { kind: 'ads' } };
    const source = { key: JSON.stringify(config), config };
    expect(decode({ odcds: { source: ads } }, isOfRoute).data).toEqual({ odcds: { source, timeoutMs: 5000 } });
    expect(decode({ odcds: { source: ads, timeout: '0.2s' } }, isOfRoute).data).toMatchObject({
      odcds: { timeoutMs: 200 },
    });
    const without = decode({}, isOfRoute);
    expect([without.data, without.reasons]).toEqual([{ odcds: null }, []]);
  },
);

it('is refused without a source, or by names of another form', () => {
  expect(decode({ odcds: {} }).reasons).toEqual(['filter.odcds.source: value is required']);
  expect(decode({ odcds: { source: { resource_api_version: 'V3' } } }).reasons).toHaveLength(1);
  const located = decode({ odcds: { source: ads, resources_locator: 'xdstp://a' } }).reasons;
  expect(located).toEqual(["filter.odcds.resources_locator: field 'resources_locator' is not supported by sekisho"]);
});
