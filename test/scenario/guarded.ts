import { App } from './app.ts';
import { bootstrap, cluster, httpListener, route } from './config.ts';
import { Origin } from './origin.ts';
import type { AtEnd } from './scope.ts';

type Json = Record<string, unknown>;

const type = 'type.googleapis.com/envoy.extensions.filters.http.';

/** Who is asked by a filter first, on a port of 127.0.0.1. */
export interface Guard {
  readonly port: number;
  readonly isGrpc: boolean;
}

export const speaksHttp2: Json = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/**
 * sekisho in front of an origin that says which user it sees. The filter knows its guard as the cluster `guard`.
 * @param message of the filter: `ext_authz.v3.ExtAuthz`
 * @returns its address
 */
export async function guarded(
  { port, isGrpc }: Guard,
  message: string,
  settings: Json,
  atEnd: AtEnd,
  action: Json = {},
): Promise<string> {
  const origin = await Origin.start(
    (asked, response) => {
      response.end(`${asked.method} ${asked.url} of ${String(asked.headers['x-user'])}`);
    },
    { atEnd },
  );
  const named = (name: string, config: Json): Json => ({ name: `envoy.filters.http.${name}`, typed_config: config });
  const filter = named(message.slice(0, message.indexOf('.')), { '@type': type + message, ...settings });
  const router = named('router', { '@type': `${type}router.v3.Router` });
  const listener = httpListener({
    routes: [route('/', 'origin', action)],
    manager: { http_filters: [filter, router] },
  });
  const clusters = [cluster('origin', [origin.port]), cluster('guard', [port], isGrpc ? speaksHttp2 : {})];
  const app = await App.start(bootstrap([listener], clusters), { atEnd });
  return app.url();
}
