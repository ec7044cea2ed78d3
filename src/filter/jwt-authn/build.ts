import type { FilterBuilder, FilterContext } from '../filter.ts';
import type { JwtAuthnData, JwtProviderData, RemoteJwksData } from './jwt-authn-data.ts';
import { JwtAuthn } from './jwt-authn.ts';
import { JwtStats } from './jwt-stats.ts';
import { parseJwks } from './jwks.ts';
import { Provider } from './provider.ts';
import { Providers } from './providers.ts';
import { RemoteJwks } from './remote-jwks.ts';

export const jwtAuthnBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
  perRouteKind: 'envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig',
  build(data, context) {
    const authn = data as JwtAuthnData;
    const scope = context.stats.scope('jwt_authn');
    const stats = new JwtStats(authn.statPrefix === '' ? scope : scope.scope(authn.statPrefix));
    const providers = new Providers(authn.providers.map((provider) => buildProvider(provider, stats, context)));
    return new JwtAuthn(authn, { providers, stats }, context);
  },
  buildPerRoute: (data) => data,
};

function buildProvider(data: JwtProviderData, stats: JwtStats, context: FilterContext): Provider {
  const { keys } = data;
  const localKeys = keys.kind === 'local' ? parseJwks(keys.text) : null;
  const remoteKeys = keys.kind === 'remote' ? fetched(keys, stats, context) : null;
  return new Provider(data, localKeys, remoteKeys, context.clock);
}

function fetched(data: RemoteJwksData, stats: JwtStats, context: FilterContext): RemoteJwks {
  const { callOuts, clock } = context;
  if (callOuts === undefined) throw new Error('keys are to be fetched, and nobody can');
  return new RemoteJwks(data, {
    callOuts,
    clock,
    onFetched: (reason) => (reason === '' ? stats.fetchSuccess : stats.fetchFailed).inc(),
  });
}
