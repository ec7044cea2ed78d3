import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import {
  VirtualClusterSchema,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
  type VirtualCluster,
  type VirtualHost,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import type { Matcher } from '../../proto/xds/type/matcher/v3/matcher_pb.js';
import { decodeHeaderMatchers } from '../match/decode.ts';
import { decodeMirrors } from '../mirror/decode.ts';
import type { RouteData, VirtualClusterData, VirtualHostData } from '../route-data.ts';
import { lowerAscii, wireText } from '../wire-text.ts';
import { decodeHedgePolicy } from './hedge-policy-decode.ts';
import { decodeRequestMutations, decodeResponseMutations } from './header-mutations-decode.ts';
import { decodePerFilter } from './per-filter-decode.ts';
import { decodeRateLimits } from '../rate-limit/decode.ts';
import { decodeRetryPolicy } from './retry-policy-decode.ts';
import { decodeRouteMatcher } from './route-matcher-decode.ts';
import { decodeRoute } from './route-decode.ts';
import { bufferLimit, decodeMetadata, type RouteDecoding, type RouteDefaults } from './field-decode.ts';

const virtualHostFields = new SupportedFields(VirtualHostSchema, [
  'name',
  'domains',
  'routes',
  'matcher',
  'require_tls',
  'virtual_clusters',
  'request_headers_to_add',
  'request_headers_to_remove',
  'response_headers_to_add',
  'response_headers_to_remove',
  'typed_per_filter_config',
  'include_request_attempt_count',
  'include_attempt_count_in_response',
  'retry_policy',
  'hedge_policy',
  'per_request_buffer_limit_bytes',
  'request_body_buffer_limit',
  'metadata',
  'request_mirror_policies',
  'include_is_timeout_retry_header',
  'rate_limits',
]);
const virtualClusterFields = new SupportedFields(VirtualClusterSchema, ['headers', 'name']);

export function decodeVirtualHost(message: VirtualHost, reasons: Reasons, decoding: RouteDecoding): VirtualHostData {
  virtualHostFields.check(message, reasons);
  const { retryPolicy, hedgePolicy } = message;
  const defaults: RouteDefaults = {
    retry: retryPolicy === undefined ? null : decodeRetryPolicy(retryPolicy, reasons.at('retry_policy'), decoding),
    hedges: hedgePolicy !== undefined && decodeHedgePolicy(hedgePolicy, reasons.at('hedge_policy')),
    requestBufferLimit: bufferLimit(message),
  };
  const routes: RouteData[] = [];
  message.routes.forEach((route, i) => {
    const decoded = decodeRoute(route, reasons.at('routes', i), decoding, defaults);
    if (decoded !== null) routes.push(decoded);
  });
  if (message.matcher !== undefined && routes.length > 0)
    reasons.at('matcher').add('cannot set both matcher and routes on virtual host');
  return {
    name: message.name,
    domains: message.domains.map((domain) => lowerAscii(wireText(domain))),
    requireTls: requirement(message.requireTls),
    matcher: message.matcher === undefined ? null : decodeTree(message.matcher, routes, reasons, decoding, defaults),
    routes,
    requestHeaders: decodeRequestMutations(message, reasons),
    responseHeaders: decodeResponseMutations(message, reasons),
    perFilter: decodePerFilter(message.typedPerFilterConfig, reasons, decoding),
    virtualClusters: message.virtualClusters.map((cluster, i) =>
      decodeVirtualCluster(cluster, reasons.at('virtual_clusters', i), decoding),
    ),
    includeAttemptCount: message.includeRequestAttemptCount,
    includeAttemptCountInResponse: message.includeAttemptCountInResponse,
    includeIsTimeoutRetry: message.includeIsTimeoutRetryHeader,
    metadata: decodeMetadata(message.metadata, reasons),
    mirrors: decodeMirrors(message.requestMirrorPolicies, reasons),
    ...(message.rateLimits.length === 0 ? {} : { rateLimits: decodeRateLimits(message.rateLimits, reasons) }),
  };
}

function decodeTree(
  matcher: Matcher,
  routes: RouteData[],
  reasons: Reasons,
  decoding: RouteDecoding,
  defaults: RouteDefaults,
): MatcherData {
  return decodeRouteMatcher(matcher, routes, reasons.at('matcher'), decoding.maxProgramSize, (route, at) =>
    decodeRoute(route, at, decoding, defaults),
  );
}

function requirement(type: VirtualHost_TlsRequirementType): VirtualHostData['requireTls'] {
  if (type === VirtualHost_TlsRequirementType.ALL) return 'ALL';
  return type === VirtualHost_TlsRequirementType.EXTERNAL_ONLY ? 'EXTERNAL_ONLY' : 'NONE';
}

function decodeVirtualCluster(message: VirtualCluster, reasons: Reasons, decoding: RouteDecoding): VirtualClusterData {
  virtualClusterFields.check(message, reasons);
  if (message.headers.length === 0) reasons.add("virtual clusters must define 'headers'");
  return {
    name: message.name,
    headers: decodeHeaderMatchers(message.headers, 'headers', reasons, decoding.maxProgramSize),
  };
}
