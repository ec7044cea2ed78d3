import type { Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { ConfigSourceData } from '../../../identity/config-source-data.ts';
import {
  ScopedRouteConfiguration_Key_FragmentSchema,
  ScopedRouteConfiguration_KeySchema,
  ScopedRouteConfigurationSchema,
  type ScopedRouteConfiguration,
} from '../../../proto/envoy/config/route/v3/scoped_route_pb.js';
import { decodeRouteConfiguration } from '../../../route/decode.ts';
import { wireText } from '../../../route/wire-text.ts';
import { routeSource, type RouteSourceData } from '../route-sources.ts';
import { scopeKey, type ScopeData } from './scoped-routes-data.ts';

const supported = new SupportedFields(ScopedRouteConfigurationSchema, [
  'name',
  'route_configuration_name',
  'route_configuration',
  'key',
  'on_demand',
]);
const keyFields = new SupportedFields(ScopedRouteConfiguration_KeySchema, ['fragments']);
const fragmentFields = new SupportedFields(ScopedRouteConfiguration_Key_FragmentSchema, ['string_key']);

/** A scope, and the route configuration that it needs; null: it has its own. */
export interface DecodedScope {
  readonly data: ScopeData;
  readonly source: RouteSourceData | null;
  /** They are asked for when a request needs them. */
  readonly isOnDemand: boolean;
}

/**
 * Null: reasons were added.
 * @param rdsSource where route configurations come from that scopes name; null: from nowhere
 * @param statPrefix of the connection manager
 */
export function decodeScope(
  message: ScopedRouteConfiguration,
  rdsSource: ConfigSourceData | null,
  statPrefix: string,
  reasons: Reasons,
  extensions: Extensions,
): DecodedScope | null {
  supported.check(message, reasons);
  const { key: keyMessage, routeConfiguration, routeConfigurationName: name } = message;
  if (keyMessage !== undefined) keyFields.check(keyMessage, reasons.at('key'));
  const fragments = (keyMessage?.fragments ?? []).map((fragment, i) => {
    fragmentFields.check(fragment, reasons.at('key').at('fragments', i));
    return wireText(fragment.type.case === 'stringKey' ? fragment.type.value : '');
  });
  const key = scopeKey(fragments);
  if (routeConfiguration !== undefined && name !== '') {
    reasons.add('both route_configuration and route_configuration_name are set');
    return null;
  }
  if (routeConfiguration !== undefined) {
    const routes = decodeRouteConfiguration(routeConfiguration, reasons.at('route_configuration'), extensions);
    return routes === null ? null : { data: { key, routes, rds: '' }, source: null, isOnDemand: false };
  }
  if (name === '' || rdsSource === null) {
    reasons.add(
      name === ''
        ? 'needs route_configuration or route_configuration_name'
        : 'route_configuration_name needs an rds_config_source of its scoped_routes',
    );
    return null;
  }
  const source = routeSource(name, rdsSource, statPrefix);
  return { data: { key, routes: null, rds: source.key }, source, isOnDemand: message.onDemand };
}

/** Envoy's words; empty: there is none. */
export function scopeConflict(scopes: readonly { readonly name: string; readonly key: string }[]): string {
  const names = new Set<string>();
  const keys = new Map<string, string>();
  for (const { name, key } of scopes) {
    if (names.has(name)) return `duplicate scoped route configuration '${name}' found`;
    names.add(name);
    const first = keys.get(key);
    if (first !== undefined) return `scope key conflict found, first scope is '${first}', second scope is '${name}'`;
    keys.set(key, name);
  }
  return '';
}
