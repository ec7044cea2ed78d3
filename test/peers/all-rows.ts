import type { Group } from './row.ts';
import { activeChecks } from './rows/health/active.ts';
import { outliers } from './rows/health/outliers.ts';
import { checkProtocols } from './rows/health/protocols.ts';
import { tlsChecks } from './rows/health/tls.ts';
import { overloadActions } from './rows/overload/actions.ts';
import { loadShedding } from './rows/overload/shedding.ts';
import { reducedTimeouts } from './rows/overload/timers.ts';
import { runtimeLayers } from './rows/runtime-layers.ts';
import { accessLogFilters } from './rows/access-log-filters.ts';
import { answers } from './rows/answers.ts';
import { askedTracing } from './rows/telemetry/asked.ts';
import { logServices } from './rows/telemetry/log-services.ts';
import { tracing } from './rows/telemetry/tracing.ts';
import { basicAuthGroups } from './rows/authn/basic-auth.ts';
import { bypassGroups } from './rows/authn/bypasses.ts';
import { dumpGroups } from './rows/authn/dumps.ts';
import { extAuthzLimitsGroups } from './rows/authn/ext-authz-limits.ts';
import { extAuthzShadowGroups } from './rows/authn/ext-authz-shadow.ts';
import { googleGrpcGroups } from './rows/authn/google-grpc.ts';
import { extAuthzPeersGroups } from './rows/authn/ext-authz-peers.ts';
import { extAuthzRetriesGroups } from './rows/authn/ext-authz-retries.ts';
import { extAuthzRulesGroups } from './rows/authn/ext-authz-rules.ts';
import { extAuthzGroups } from './rows/authn/ext-authz.ts';
import { jwtExtractionGroups } from './rows/authn/jwt-extraction.ts';
import { jwtGroups } from './rows/authn/jwt.ts';
import { networkExtAuthzGroups } from './rows/authn/network-ext-authz.ts';
import { networkRateLimitGroups } from './rows/authn/network-ratelimit.ts';
import { rateLimitGroups } from './rows/authn/ratelimit.ts';
import { balancing } from './rows/balancing.ts';
import { breakers } from './rows/breakers.ts';
import { clusters } from './rows/clusters.ts';
import { aggregates } from './rows/clusters/aggregate.ts';
import { dynamicForwardProxies } from './rows/clusters/dynamic-forward-proxy.ts';
import { originalDestinations } from './rows/clusters/original-dst.ts';
import { preconnects } from './rows/clusters/preconnect.ts';
import { sourceAddresses } from './rows/clusters/source-addresses.ts';
import { zones } from './rows/clusters/zones.ts';
import { expressionGroups } from './rows/expressions.ts';
import { filters } from './rows/filters.ts';
import { grpcBridge } from './rows/grpc-bridge.ts';
import { grpcH2 } from './rows/grpc-h2.ts';
import { grpcTranscoder } from './rows/grpc-transcoder.ts';
import { grpcWeb } from './rows/grpc-web.ts';
import { grpc } from './rows/grpc.ts';
import { h2 } from './rows/h2.ts';
import { h2Frames } from './rows/h2-frames.ts';
import { h2Limits } from './rows/h2-limits.ts';
import { h2UpstreamFrames } from './rows/h2-upstream-frames.ts';
import { h2Upstream } from './rows/h2-upstream.ts';
import { headers } from './rows/headers.ts';
import { http1 } from './rows/http1.ts';
import { connectionManager } from './rows/connection-manager.ts';
import { injection } from './rows/injection.ts';
import { malformed } from './rows/malformed.ts';
import { observing } from './rows/observing.ts';
import { operators } from './rows/operators.ts';
import { replies } from './rows/replies.ts';
import { resilience } from './rows/resilience.ts';
import { rewrites } from './rows/rewrites.ts';
import { internalRedirects } from './rows/route/internal-redirects.ts';
import { mirrors } from './rows/route/mirroring.ts';
import { retryPolicies } from './rows/route/retries.ts';
import { stateMatchers } from './rows/route/states.ts';
import { routing } from './rows/routing.ts';
import { runtime } from './rows/runtime.ts';
import { connects } from './rows/connect.ts';
import { compression } from './rows/filters/compression.ts';
import { decompression } from './rows/filters/decompression.ts';
import { rateLimitActions } from './rows/filters/rate-limit-actions.ts';
import { rbacGroups } from './rows/filters/rbac.ts';
import { healthChecks } from './rows/filters/health-check.ts';
import { faults } from './rows/filters/fault.ts';
import { customResponses } from './rows/filters/custom-response.ts';
import { bandwidthLimits } from './rows/filters/bandwidth-limit.ts';
import { countedMetadata } from './rows/filters/header-to-metadata.ts';
import { localRateLimits } from './rows/filters/local-ratelimit.ts';
import { matchDelegates } from './rows/filters/match-delegate.ts';
import { upstreamFilters } from './rows/filters/upstream-filters.ts';
import { virtualClusters } from './rows/route/virtual-clusters.ts';
import { clusterFields } from './rows/fields/cluster-fields.ts';
import { managerFields } from './rows/fields/manager-fields.ts';
import { processFields } from './rows/fields/process-fields.ts';
import { routeFields } from './rows/fields/route-fields.ts';
import { admissionControl } from './rows/filters/admission-control.ts';
import { smallFilters } from './rows/filters/small-filters.ts';
import { networkFilters } from './rows/filters/network.ts';
import { tcpProxy } from './rows/tcp.ts';
import { tcpSettings } from './rows/tcp-settings.ts';
import { chainLevels } from './rows/listener/levels.ts';
import { inspectors } from './rows/listener/inspectors.ts';
import { proxyProtocolHeaders } from './rows/listener/proxy-protocol.ts';
import { chainMatchers } from './rows/listener/matchers.ts';
import { passedThrough } from './rows/listener/passthrough.ts';
import { redirected } from './rows/listener/redirected.ts';
import { tlsClients } from './rows/tls/clients.ts';
import { tlsHandshakes } from './rows/tls/handshakes.ts';
import { tlsSecrets } from './rows/tls/secrets.ts';
import { tlsSettings } from './rows/tls/settings.ts';
import { tlsStrangers } from './rows/tls/strangers.ts';
import { tlsPassthrough } from './rows/tls/passthrough.ts';
import { tlsTransports } from './rows/tls/transports.ts';
import { tlsUpstreams } from './rows/tls/upstreams.ts';
import { tlsIdentity } from './rows/tls/xfcc.ts';
import { tunneling } from './rows/tunneling.ts';
import { connectChains } from './rows/tunnels/connect-chains.ts';
import { internalListeners } from './rows/tunnels/internal.ts';
import { upgrades } from './rows/upgrades.ts';
import { webSocket } from './rows/websocket.ts';
import { discoveredClusters } from './rows/xds/clusters.ts';
import { discoveredConnectionFilters } from './rows/xds/connection-filters.ts';
import { discoveredFilters } from './rows/xds/filters.ts';
import { onDemand } from './rows/xds/on-demand.ts';
import { discoveredListeners } from './rows/xds/listeners.ts';
import { discoveredRoutes } from './rows/xds/routes.ts';
import { scopedRoutes } from './rows/xds/scopes.ts';

/** Every group of comparisons. */
export const groups: readonly Group[] = [
  ...tracing,
  ...askedTracing,
  ...logServices,
  ...routing,
  ...mirrors,
  ...internalRedirects,
  ...retryPolicies,
  ...stateMatchers,
  ...answers,
  ...rewrites,
  ...headers,
  ...connectionManager,
  ...http1,
  ...h2,
  ...h2Frames,
  ...h2Limits,
  ...h2Upstream,
  ...h2UpstreamFrames,
  ...malformed,
  ...resilience,
  ...clusters,
  ...aggregates,
  ...dynamicForwardProxies,
  ...originalDestinations,
  ...preconnects,
  ...sourceAddresses,
  ...zones,
  ...balancing,
  ...replies,
  ...activeChecks,
  ...checkProtocols,
  ...outliers,
  ...tlsChecks,
  ...accessLogFilters,
  ...expressionGroups,
  ...rateLimitActions,
  ...rbacGroups,
  ...filters,
  ...basicAuthGroups,
  ...jwtGroups,
  ...jwtExtractionGroups,
  ...extAuthzGroups,
  ...extAuthzRulesGroups,
  ...extAuthzRetriesGroups,
  ...extAuthzPeersGroups,
  ...extAuthzLimitsGroups,
  ...extAuthzShadowGroups,
  ...googleGrpcGroups,
  ...networkExtAuthzGroups,
  ...networkRateLimitGroups,
  ...rateLimitGroups,
  ...bypassGroups,
  ...dumpGroups,
  ...compression,
  ...decompression,
  ...healthChecks,
  ...faults,
  ...customResponses,
  ...bandwidthLimits,
  ...countedMetadata,
  ...localRateLimits,
  ...matchDelegates,
  ...networkFilters,
  ...smallFilters,
  ...admissionControl,
  ...managerFields,
  ...processFields,
  ...routeFields,
  ...clusterFields,
  ...virtualClusters,
  ...upstreamFilters,
  ...runtime,
  ...breakers,
  ...runtimeLayers,
  ...discoveredClusters,
  ...discoveredRoutes,
  ...scopedRoutes,
  ...discoveredListeners,
  ...discoveredFilters,
  ...discoveredConnectionFilters,
  ...onDemand,
  ...reducedTimeouts,
  ...overloadActions,
  ...loadShedding,
  ...injection,
  ...tcpProxy,
  ...internalListeners,
  ...connectChains,
  ...tcpSettings,
  ...chainLevels,
  ...chainMatchers,
  ...passedThrough,
  ...redirected,
  ...inspectors,
  ...proxyProtocolHeaders,
  ...tlsHandshakes,
  ...tlsClients,
  ...tlsStrangers,
  ...tlsSettings,
  ...tlsSecrets,
  ...tlsUpstreams,
  ...tlsTransports,
  ...tlsPassthrough,
  ...tlsIdentity,
  ...webSocket,
  ...connects,
  ...tunneling,
  ...upgrades,
  ...observing,
  ...operators,
  ...grpc,
  ...grpcWeb,
  ...grpcBridge,
  ...grpcH2,
  ...grpcTranscoder,
];
