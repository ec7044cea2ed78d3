import { create, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { HttpVersion } from '../../../../../src/core/head.ts';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { alpnBuilder } from '../../../../../src/filter/istio/alpn/build.ts';
import { alpnDecoder } from '../../../../../src/filter/istio/alpn/decode.ts';
import { FilterConfig_Protocol, FilterConfigSchema } from '../../../../../src/proto/istio/alpn_pb.js';
import { filterContext, request, TestStream } from '../../filter-fixture.ts';

const message = create(FilterConfigSchema, {
  alpnOverride: [
    { alpnOverride: ['istio-http/1.0', 'istio', 'http/1.0'] },
    { upstreamProtocol: FilterConfig_Protocol.HTTP11, alpnOverride: ['istio-http/1.1', 'istio', 'http/1.1'] },
    { upstreamProtocol: FilterConfig_Protocol.HTTP2, alpnOverride: ['istio-h2', 'istio', 'h2'] },
  ],
});
const filter = alpnBuilder
  .build(
    alpnDecoder.decode(toBinary(FilterConfigSchema, message), new Reasons(), { open: () => null }),
    filterContext(),
  )
  .create();

function offered(upstreamVersion: HttpVersion | null, clusterMetadata: Record<string, unknown> | null = null): unknown {
  const stream = Object.assign(new TestStream(filterContext(), request()), { upstreamVersion });
  stream.outcome.clusterMetadata = clusterMetadata;
  filter.onRequestHead!(stream, stream.requestHead, true);
  return stream.outcome.filterState?.get('envoy.network.application_protocols');
}

it('offers what the protocol of the upstream is in a mesh', () => {
  expect(offered(HttpVersion.Http10)).toBe('istio-http/1.0,istio,http/1.0');
  expect(offered(HttpVersion.Http11)).toBe('istio-http/1.1,istio,http/1.1');
  expect(offered(HttpVersion.Http2)).toBe('istio-h2,istio,h2');
});

it('offers nothing where there is no cluster, or it wants none', () => {
  expect(offered(null)).toBeUndefined();
  expect(offered(HttpVersion.Http2, { istio: { alpn_override: 'false' } })).toBeUndefined();
  expect(offered(HttpVersion.Http2, { istio: { alpn_override: 'true' } })).toBe('istio-h2,istio,h2');
});

it('refuses a protocol that there is not', () => {
  const reasons = new Reasons();
  const unknown = create(FilterConfigSchema, { alpnOverride: [{ upstreamProtocol: 7 as FilterConfig_Protocol }] });
  alpnDecoder.decode(toBinary(FilterConfigSchema, unknown), reasons, { open: () => null });
  expect(reasons.list.map(({ path }) => path)).toEqual(['alpn_override[0].upstream_protocol']);
});
