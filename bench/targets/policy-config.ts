import type { Place, PolicyShape } from '../target.ts';
import { type } from './envoy-names.ts';
import { tokens } from './tokens.ts';
import type { TrafficBootstrap } from './traffic-config.ts';
import { policies, realistic } from './workload.ts';

type Json = Record<string, unknown>;

/** The realistic configuration with a filter in front of its router that says who may do what. */
export function withPolicy<Whole extends TrafficBootstrap>(whole: Whole, shape: PolicyShape, place: Place): Whole {
  for (const { typed_config } of whole.static_resources.listeners[0].filter_chains[0].filters)
    (typed_config as { http_filters: Json[] }).http_filters.unshift(filterOf(shape));
  if (shape === 'realistic-ext-authz') (whole.static_resources.clusters as Json[]).push(authorizationServer(place));
  return whole;
}

function filterOf(shape: PolicyShape): Json {
  switch (shape) {
    case 'realistic-rbac':
      return filter('rbac', 'rbac.v3.RBAC', { rules: { action: 'ALLOW', policies: allPolicies() } });
    case 'realistic-jwt':
      return filter('jwt_authn', 'jwt_authn.v3.JwtAuthentication', jwt({}));
    case 'realistic-jwt-cached':
      return filter('jwt_authn', 'jwt_authn.v3.JwtAuthentication', jwt({ jwt_cache_config: { jwt_cache_size: 100 } }));
    case 'realistic-ext-authz':
      return filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
        transport_api_version: 'V3',
        grpc_service: { envoy_grpc: { cluster_name: 'authorization' }, timeout: '2s' },
      });
  }
}

function filter(name: string, message: string, settings: Json): Json {
  return {
    name: `envoy.filters.http.${name}`,
    typed_config: { '@type': type(`extensions.filters.http.${message}`), ...settings },
  };
}

function jwt(more: Json): Json {
  const provider = {
    issuer: tokens().issuer,
    audiences: ['bench'],
    forward: true,
    payload_in_metadata: 'payload',
    local_jwks: { inline_string: tokens().jwks },
    ...more,
  };
  return {
    providers: { bench: provider },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
  };
}

/** As Istio writes them: hosts, paths and methods; addresses and a field that must not be there. */
function allPolicies(): Json {
  const perHost = policies / realistic.hosts.length;
  return Object.fromEntries(
    Array.from({ length: policies }, (_, n) => {
      const host = realistic.hosts[Math.floor(n / perHost)];
      const paths = n % perHost === 0 ? ['/api/'] : ['/healthz', '/favicon.ico'];
      return [`ns[default]-policy[allow-${n}]-rule[0]`, policy(host, paths)];
    }),
  );
}

function policy(host: string, paths: readonly string[]): Json {
  const anyOf = (rules: readonly Json[]) => ({ or_rules: { rules } });
  const method = (exact: string) => ({ header: { name: ':method', string_match: { exact } } });
  return {
    permissions: [
      {
        and_rules: {
          rules: [
            anyOf([{ header: { name: ':authority', string_match: { exact: host, ignore_case: true } } }]),
            anyOf(paths.map((prefix) => ({ url_path: { path: { prefix } } }))),
            anyOf([method('GET'), method('HEAD')]),
          ],
        },
      },
    ],
    principals: [
      {
        and_ids: {
          ids: [
            {
              or_ids: {
                ids: ['10.0.0.0', '127.0.0.0'].map((address) => ({
                  remote_ip: { address_prefix: address, prefix_len: 8 },
                })),
              },
            },
            { not_id: { header: { name: 'x-banned', present_match: true } } },
          ],
        },
      },
    ],
  };
}

function authorizationServer({ authorizationPort }: Place): Json {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const address = { socket_address: { address: '127.0.0.1', port_value: authorizationPort } };
  return {
    name: 'authorization',
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: 'authorization', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    typed_extension_protocol_options: {
      [options]: {
        '@type': `type.googleapis.com/${options}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}
