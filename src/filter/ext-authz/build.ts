import type { FilterBuilder, FilterContext } from '../filter.ts';
import type { Authorizer } from './check.ts';
import type { AuthorizationServiceData, ExtAuthzData, ExtAuthzPerRouteData } from './ext-authz-data.ts';
import { ExtAuthz, type RouteAuthorization } from './ext-authz.ts';
import { GrpcAuthorizer } from './grpc-authorizer.ts';
import { HttpAuthorizer } from './http-authorizer.ts';
import { labelsOf } from './message/check-request.ts';
import { SentHeaders } from './message/sent-headers.ts';

export const extAuthzBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
  perRouteKind: 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
  build(data, context) {
    const authz = data as ExtAuthzData;
    return new ExtAuthz(authz, buildAuthorizer(authz.service, authz, context), context);
  },
  buildPerRoute(data, context): RouteAuthorization {
    const route = data as ExtAuthzPerRouteData;
    return { data: route, authorizer: route.service === null ? null : buildAuthorizer(route.service, plain, context) };
  },
};

type Settings = Pick<
  ExtAuthzData,
  | 'allowedHeaders'
  | 'disallowedHeaders'
  | 'encodesRawHeaders'
  | 'includesPeerCertificate'
  | 'includesTlsSession'
  | 'labelsKey'
  | 'metadataNamespaces'
  | 'routeMetadataNamespaces'
>;

const plain: Settings = {
  allowedHeaders: [],
  disallowedHeaders: [],
  encodesRawHeaders: false,
  includesPeerCertificate: false,
  includesTlsSession: false,
  labelsKey: '',
  metadataNamespaces: [],
  routeMetadataNamespaces: [],
};

function buildAuthorizer(service: AuthorizationServiceData, settings: Settings, context: FilterContext): Authorizer {
  const { callOuts } = context;
  if (callOuts === undefined) throw new Error('an authorization server is to be asked, and nobody can');
  const headers = new SentHeaders(settings.allowedHeaders, settings.disallowedHeaders, service.kind);
  const labels = labelsOf(settings.labelsKey, context.localNode.metadata);
  return service.kind === 'grpc'
    ? new GrpcAuthorizer(service.service, { ...settings, headers, labels }, callOuts)
    : new HttpAuthorizer(service, headers, callOuts);
}
