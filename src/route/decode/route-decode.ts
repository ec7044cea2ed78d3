import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeRouteTracing } from '../../observe/trace/route-tracing-decode.ts';
import { DecoratorSchema, RouteSchema, type Route } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import type { DecoratorData, PathMatchData, RouteData } from '../route-data.ts';
import { decodeDirectResponse } from './direct-response-decode.ts';
import { decodeRequestMutations, decodeResponseMutations } from './header-mutations-decode.ts';
import { decodePerFilter } from './per-filter-decode.ts';
import { decodeRedirect } from './redirect-decode.ts';
import { decodeForward, forwardNowhere } from './route-action-decode.ts';
import { bufferLimit, decodeMetadata, type RouteDecoding, type RouteDefaults } from './field-decode.ts';
import { decodeConditions, decodePathMatch } from './route-match-decode.ts';

const routeFields = new SupportedFields(RouteSchema, [
  'name',
  'match',
  'route',
  'redirect',
  'direct_response',
  'non_forwarding_action',
  'filter_action',
  'metadata',
  'decorator',
  'tracing',
  'typed_per_filter_config',
  'request_headers_to_add',
  'request_headers_to_remove',
  'response_headers_to_add',
  'response_headers_to_remove',
  'per_request_buffer_limit_bytes',
  'stat_prefix',
  'request_body_buffer_limit',
]);
const decoratorFields = new SupportedFields(DecoratorSchema, ['operation', 'propagate']);

/** Null: the route has no match; a reason was added. */
export function decodeRoute(
  message: Route,
  reasons: Reasons,
  decoding: RouteDecoding,
  defaults: RouteDefaults,
): RouteData | null {
  routeFields.check(message, reasons);
  if (message.match === undefined) {
    reasons.at('match').add('a route needs a match');
    return null;
  }
  const at = reasons.at('match');
  const path = decodePathMatch(message.match, at, decoding);
  return {
    name: message.name,
    path,
    conditions: decodeConditions(message.match, at, decoding),
    action: decodeAction(message, path, reasons, decoding, defaults),
    requestHeaders: decodeRequestMutations(message, reasons),
    responseHeaders: decodeResponseMutations(message, reasons),
    perFilter: decodePerFilter(message.typedPerFilterConfig, reasons, decoding),
    decorator: decodeDecorator(message, reasons),
    ...(message.tracing !== undefined && { tracing: decodeRouteTracing(message.tracing, reasons.at('tracing')) }),
    statPrefix: message.statPrefix,
    metadata: decodeMetadata(message.metadata, reasons),
  };
}

function decodeAction(
  message: Route,
  path: PathMatchData,
  reasons: Reasons,
  decoding: RouteDecoding,
  defaults: RouteDefaults,
): RouteData['action'] {
  const { action } = message;
  switch (action.case) {
    case 'route': {
      const limit = bufferLimit(message);
      const own = limit < 0 ? defaults : { ...defaults, requestBufferLimit: limit };
      return decodeForward(action.value, path, message.name, reasons.at('route'), decoding, own);
    }
    case 'redirect':
      return decodeRedirect(action.value, reasons.at('redirect'), decoding);
    case 'directResponse':
      return decodeDirectResponse(action.value, reasons.at('direct_response'), decoding);
    case undefined:
      reasons.add('a route needs one of route, redirect, direct_response and non_forwarding_action');
      return forwardNowhere;
    default:
      return forwardNowhere;
  }
}

function decodeDecorator(message: Route, reasons: Reasons): DecoratorData | null {
  const { decorator } = message;
  if (decorator === undefined) return null;
  decoratorFields.check(decorator, reasons.at('decorator'));
  return { operation: decorator.operation, propagate: decorator.propagate ?? true };
}
