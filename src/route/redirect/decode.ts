import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  InternalRedirectPolicySchema,
  RouteAction_InternalRedirectAction,
  type InternalRedirectPolicy,
  type RouteAction,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { AllowListedRoutesConfigSchema } from '../../proto/envoy/extensions/internal_redirect/allow_listed_routes/v3/allow_listed_routes_config_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { lowerAscii, wireText } from '../wire-text.ts';
import type { InternalRedirectData, RedirectPredicateData } from './internal-redirect-data.ts';

const policyFields = new SupportedFields(InternalRedirectPolicySchema, [
  'max_internal_redirects',
  'redirect_response_codes',
  'predicates',
  'allow_cross_scheme_redirect',
  'response_headers_to_copy',
]);
const listedFields = new SupportedFields(AllowListedRoutesConfigSchema, ['allowed_route_names']);

const extensionPath = 'envoy.extensions.internal_redirect.';

/** Envoy passes over others. */
const redirectCodes: readonly number[] = [301, 302, 303, 307, 308];

/** Null: the client follows its redirects itself. */
export function decodeInternalRedirects(message: RouteAction, reasons: Reasons): InternalRedirectData | null {
  const { internalRedirectPolicy: policy } = message;
  if (policy !== undefined) return decodePolicy(policy, reasons.at('internal_redirect_policy'));
  // The older fields.
  if (message.internalRedirectAction !== RouteAction_InternalRedirectAction.HANDLE_INTERNAL_REDIRECT) return null;
  return {
    maxRedirects: message.maxInternalRedirects ?? 1,
    codes: [302],
    allowsCrossScheme: false,
    headersToCopy: [],
    predicates: [],
  };
}

function decodePolicy(message: InternalRedirectPolicy, reasons: Reasons): InternalRedirectData {
  policyFields.check(message, reasons);
  const codes = message.redirectResponseCodes;
  return {
    maxRedirects: message.maxInternalRedirects ?? 1,
    codes: codes.length === 0 ? [302] : codes.filter((code) => redirectCodes.includes(code)),
    allowsCrossScheme: message.allowCrossSchemeRedirect,
    headersToCopy: message.responseHeadersToCopy.map((name, i) =>
      decodeHeaderName(name, reasons.at('response_headers_to_copy', i)),
    ),
    predicates: message.predicates.flatMap((predicate, i) => decodePredicate(predicate, reasons.at('predicates', i))),
  };
}

function decodeHeaderName(name: string, reasons: Reasons): string {
  const lower = lowerAscii(wireText(name));
  if (lower.startsWith(':') || lower === 'host') reasons.add(':-prefixed headers or Hosts may not be specified here.');
  return lower;
}

function decodePredicate(config: TypedExtensionConfig, reasons: Reasons): RedirectPredicateData[] {
  const typeUrl = config.typedConfig?.typeUrl ?? '';
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case `${extensionPath}allow_listed_routes.v3.AllowListedRoutesConfig`: {
      const message = fromBinary(AllowListedRoutesConfigSchema, config.typedConfig!.value);
      listedFields.check(message, reasons.at('typed_config'));
      return [{ kind: 'listed', routes: message.allowedRouteNames }];
    }
    case `${extensionPath}previous_routes.v3.PreviousRoutesConfig`:
      return [{ kind: 'previous' }];
    case `${extensionPath}safe_cross_scheme.v3.SafeCrossSchemeConfig`:
      return [{ kind: 'safe' }];
    default:
      reasons.add(
        `internal redirect predicate '${config.name}' with type URL '${typeUrl}' is not supported by sekisho`,
      );
      return [];
  }
}
