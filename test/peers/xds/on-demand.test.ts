/** What requests and connections ask a control plane for when they need it: of Envoy and of sekisho. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { until } from '../../scenario/wait.ts';
import { compared, reason, type Ignored, type Setting } from './compared.ts';
import type { Resources } from './control-plane.ts';
import type { Conversation } from './conversation.ts';
import {
  ask,
  fixedCluster,
  listener,
  rds,
  routesWithHosts,
  saying,
  scope,
  scopedRoutes,
  tcpListener,
  toNamed,
  virtualHost,
} from './on-demand-resources.ts';
import type { Json, ResourceMaker } from './resources.ts';

if (reason !== null) console.log(`peers ${reason}`);

const http = (...names: string[]): string[] => names.map((name) => `http.peer.${name}`);
const requests = http('downstream_rq_total', 'downstream_rq_2xx', 'downstream_rq_4xx', 'downstream_rq_5xx', 'no_route');

/** Resolves when the proxy asks for this. */
async function asked(one: Conversation, name: string): Promise<void> {
  await one.plane.event(({ kind, names }) => kind === 'request' && names?.includes(name) === true);
}

/** Streams of other types are opened again when they are. */
const reconnected = { said: true, stats: /cds|lds|rds\.r\.update/ } as const;

async function serves(one: Conversation): Promise<void> {
  await one.stat('listener_manager.total_listeners_active', (value) => value === 1);
}

describe.skipIf(reason !== null).each(['ads', 'own'] as const)('virtual hosts on demand, %s', (sharing) => {
  const counted = ['config_reload', 'update_success', 'update_rejected'].map((name) => `rds.vhds.r.${name}`);
  const world = (make: ResourceMaker, port: number, ...hosts: readonly Json[]): Resources => ({
    Listener: [listener(port, rds('r', make.source))],
    RouteConfiguration: [routesWithHosts('r', make.source, [virtualHost('own', ['own.test'])])],
    VirtualHost: hosts,
  });
  const setting: Setting = {
    protocol: 'DELTA_GRPC',
    sharing,
    begin: (make, port) => world(make, port),
    stats: [...requests, ...http(...counted)],
    // Where none has come, Envoy takes an empty answer for none.
    patience: '0.3s',
  };
  const host = (name: string): Json => virtualHost(`r/${name}.test`, [`${name}.test`]);
  const tells = (one: Conversation, make: ResourceMaker, version: string, ...hosts: Json[]): Promise<void> =>
    one.plane.set(version, world(make, one.port, ...hosts));

  test('one comes when a request is for it, and is not asked for again', async () => {
    await compared(setting, async (one, make) => {
      await serves(one);
      const seen = [await ask(one.port, { host: 'own.test' })];
      const first = ask(one.port, { host: 'A.test' });
      await asked(one, 'r/a.test');
      await tells(one, make, '2', host('a'));
      seen.push(await first, await ask(one.port, { host: 'a.test' }));
      await one.answered('2', ['VirtualHost']);
      return seen;
    });
  });

  test('two requests wait for one, and another for another', async () => {
    await compared(
      setting,
      async (one, make) => {
        await serves(one);
        const [a, again] = ['a.test', 'a.test'].map((name) => ask(one.port, { host: name }));
        await asked(one, 'r/a.test');
        await one.stat('http.peer.downstream_rq_active', (value) => value === 2);
        const b = ask(one.port, { host: 'b.test' });
        await asked(one, 'r/b.test');
        await tells(one, make, '2', host('a'));
        const first = [await a, await again];
        await tells(one, make, '3', host('a'), host('b'));
        return [...first, await b];
        // Envoy asks for each request.
      },
      { said: true, stats: /vhds/ },
    );
  });

  test('a request with a body waits with it', async () => {
    await compared(setting, async (one, make) => {
      await serves(one);
      const posted = ask(one.port, { host: 'a.test' }, { body: 'x'.repeat(5000) });
      await asked(one, 'r/a.test');
      await one.stat('http.peer.downstream_rq_active', (value) => value === 1);
      await tells(one, make, '2', host('a'));
      return posted;
    });
  });

  test('one that is taken away, and comes back when it is asked for again', async () => {
    await compared({ ...setting, begin: (make, port) => world(make, port, host('a')) }, async (one, make) => {
      await serves(one);
      const seen = [await ask(one.port, { host: 'a.test' })];
      await tells(one, make, '2');
      await one.stat('http.peer.rds.vhds.r.config_reload', (value) => value === 2);
      const waits = ask(one.port, { host: 'a.test' });
      await asked(one, 'r/a.test');
      await tells(one, make, '3', host('a'));
      return [...seen, await waits];
    });
  });

  test('a control plane that is away is waited for', async () => {
    await compared(
      setting,
      async (one, make) => {
        await serves(one);
        one.plane.away();
        await one.stat('control_plane.connected_state', (value) => value === 0);
        const waits = ask(one.port, { host: 'a.test' });
        await one.stat('http.peer.downstream_rq_active', (value) => value === 1);
        await tells(one, make, '2', host('a'));
        one.plane.disconnect();
        return waits;
      },
      reconnected,
    );
  });

  test('what is no good is refused, and waited for', async () => {
    await compared(setting, async (one, make) => {
      await serves(one);
      const waits = ask(one.port, { host: 'a.test' });
      await asked(one, 'r/a.test');
      await tells(one, make, '2', virtualHost('r/a.test', ['own.test']));
      await one.stat('http.peer.rds.vhds.r.update_rejected', (value) => value > 0);
      await tells(one, make, '3', host('a'));
      const seen = await waits;
      await one.answered('3', ['VirtualHost']);
      return seen;
    });
  });
});

describe.skipIf(reason !== null).each([
  { protocol: 'GRPC', sharing: 'own' },
  { protocol: 'DELTA_GRPC', sharing: 'ads' },
  { protocol: 'DELTA_GRPC', sharing: 'own' },
] as const)('scopes on demand, $protocol, $sharing', ({ protocol, sharing }) => {
  const gauges = ['all_scopes', 'active_scopes', 'on_demand_scopes'].map((name) => `scoped_rds.scopes.${name}`);
  const world = (make: ResourceMaker, port: number, scopes: readonly Json[], routes: readonly Json[]): Resources => ({
    // Of a type that there is nothing of, go-control-plane says nothing.
    Cluster: [fixedCluster('one', 1)],
    Listener: [listener(port, scopedRoutes(make.source))],
    ScopedRouteConfiguration: scopes,
    RouteConfiguration: routes,
  });
  const scopes = [scope('eager', 'e', 'r-eager', false), scope('lazy', 'l', 'r-lazy', true)];
  const routes = [saying('r-eager'), saying('r-lazy')];
  const setting: Setting = {
    protocol,
    sharing,
    begin: (make, port) => world(make, port, scopes, routes),
    stats: [...requests, ...http(...gauges)],
  };
  // In the state of the world whatever there is is told again: who is the last to answer is chance.
  const changes: Ignored = protocol === 'GRPC' ? { said: true } : {};
  const settled = async (one: Conversation, ...types: readonly string[]): Promise<void> => {
    if (protocol === 'DELTA_GRPC') await one.answered('2', types);
  };
  const count = (one: Conversation, name: string, wanted: number): Promise<void> =>
    one.stat(`http.peer.scoped_rds.scopes.${name}`, (value) => value === wanted);

  test('the routes of a scope come when a request needs them', async () => {
    await compared(setting, async (one) => {
      await serves(one);
      await count(one, 'active_scopes', 1);
      const seen: string[] = [];
      for (const key of ['e', 'l', 'l', 'none']) seen.push(await ask(one.port, { scope: key }));
      return [...seen, await ask(one.port, {})];
    });
  });

  test('two requests wait for the routes of a scope, until they come', async () => {
    await compared(
      { ...setting, begin: (make, port) => world(make, port, scopes, [saying('r-eager')]) },
      async (one, make) => {
        await serves(one);
        const waits = [1, 2].map(() => ask(one.port, { scope: 'l' }));
        await one.stat('http.peer.downstream_rq_active', (value) => value === 2);
        await asked(one, 'r-lazy');
        await one.plane.set('2', world(make, one.port, scopes, routes));
        const seen = await Promise.all(waits);
        await settled(one, 'RouteConfiguration');
        return seen;
      },
      changes,
    );
  });

  test('a scope that has other routes under traffic', async () => {
    await compared(
      setting,
      async (one, make) => {
        await serves(one);
        const seen = [await ask(one.port, { scope: 'l' })];
        const others = [scopes[0], scope('lazy', 'l', 'r-other', true)];
        await one.plane.set('2', world(make, one.port, others, [...routes, saying('r-other')]));
        const now = (): Promise<string> => ask(one.port, { scope: 'l' });
        await until('the other routes', async () => /r-other/.test(await now()));
        await settled(one, 'RouteConfiguration', 'ScopedRouteConfiguration');
        return [...seen, await now()];
      },
      { ...changes, stats: /downstream_rq/ },
    );
  });

  test('a scope on demand whose routes are there for another', async () => {
    const shared = [scopes[0], scope('lazy', 'l', 'r-eager', true)];
    const begin = (make: ResourceMaker, port: number): Resources => world(make, port, shared, [saying('r-eager')]);
    await compared({ ...setting, begin }, async (one) => {
      await serves(one);
      const seen: string[] = [];
      for (const key of ['e', 'l', 'l']) seen.push(await ask(one.port, { scope: key }));
      return seen;
    });
  });

  test('a scope that goes', async () => {
    await compared(
      setting,
      async (one, make) => {
        await serves(one);
        const seen = [await ask(one.port, { scope: 'l' })];
        await one.plane.set('2', world(make, one.port, [scopes[0]], routes));
        await count(one, 'all_scopes', 1);
        await count(one, 'on_demand_scopes', 0);
        await settled(one, 'ScopedRouteConfiguration');
        return [...seen, await ask(one.port, { scope: 'l' })];
      },
      changes,
    );
  });
});

describe.skipIf(reason !== null).each(['ads', 'own'] as const)('clusters on demand, %s', (sharing) => {
  let origin: Server;
  let port: number;
  beforeAll(async () => {
    origin = createServer((incoming, response) => {
      incoming.resume();
      response.end('origin');
    });
    await once(origin.listen(0, '127.0.0.1'), 'listening');
    ({ port } = origin.address() as AddressInfo);
  });
  afterAll(() => origin.close());

  const stats = [...requests, 'cluster_manager.odcds.update_rejected', 'cluster_manager.active_clusters'];
  const odcds = (make: ResourceMaker, timeout = '5s'): Json => ({ source: make.source, timeout });
  const plane = (make: ResourceMaker, at: number, ...clusters: readonly Json[]): Resources => ({
    Listener: [listener(at, toNamed(), odcds(make))],
    Cluster: clusters,
  });
  const setting: Setting = {
    protocol: 'DELTA_GRPC',
    sharing,
    begin: (make, at) => plane(make, at),
    stats,
    onlyOnDemand: true,
  };

  test('one comes when a request needs it', async () => {
    await compared(setting, async (one, make) => {
      await serves(one);
      const first = ask(one.port, { to: 'a' });
      await asked(one, 'a');
      await one.plane.set('2', plane(make, one.port, fixedCluster('a', port)));
      return [await first, await ask(one.port, { to: 'a' }), await ask(one.port, { to: 'a' }, { body: 'b' })];
    });
  });

  test('two requests wait for one, and then another for another', async () => {
    await compared(setting, async (one, make) => {
      await serves(one);
      const waits = ['a', 'a'].map((to) => ask(one.port, { to }));
      await asked(one, 'a');
      await one.stat('http.peer.downstream_rq_active', (value) => value === 2);
      await one.plane.set('2', plane(make, one.port, fixedCluster('a', port)));
      const first = await Promise.all(waits);
      // Over a stream of its own Envoy 1.39.3 never takes a second.
      if (sharing === 'own') return first;
      const other = ask(one.port, { to: 'b' }, { body: 'b'.repeat(5000) });
      await asked(one, 'b');
      await one.plane.set('3', plane(make, one.port, fixedCluster('a', port), fixedCluster('b', port)));
      return [...first, await other];
    });
  });

  test('one that takes too long', async () => {
    const begin = (make: ResourceMaker, at: number): Resources => ({
      Listener: [listener(at, toNamed(), odcds(make, '0.3s'))],
    });
    await compared({ ...setting, begin }, async (one) => {
      await serves(one);
      return [await ask(one.port, { to: 'a' }), await ask(one.port, { to: 'a' })];
    });
  });

  test('one that is taken away is asked for again', async () => {
    await compared(
      setting,
      async (one, make) => {
        await serves(one);
        const first = ask(one.port, { to: 'a' });
        await asked(one, 'a');
        await one.plane.set('2', plane(make, one.port, fixedCluster('a', port)));
        const seen = [await first];
        await one.plane.set('3', plane(make, one.port));
        await one.stat('cluster_manager.active_clusters', (value) => value === 1);
        const again = ask(one.port, { to: 'a' });
        await one.stat('http.peer.downstream_rq_active', (value) => value === 1);
        await one.plane.set('4', plane(make, one.port, fixedCluster('a', port)));
        return [...seen, await again];
        // Over ADS Envoy does not ask again: it never stops wanting it.
      },
      { said: true },
    );
  });

  test('a control plane that is away is waited for', async () => {
    await compared(
      setting,
      async (one, make) => {
        await serves(one);
        one.plane.away();
        await one.stat('control_plane.connected_state', (value) => value === 0);
        const first = ask(one.port, { to: 'a' });
        await one.stat('http.peer.downstream_rq_active', (value) => value === 1);
        await one.plane.set('2', plane(make, one.port, fixedCluster('a', port)));
        one.plane.disconnect();
        return [await first];
      },
      reconnected,
    );
  });

  test('a connection waits for its cluster', async () => {
    const begin = (make: ResourceMaker, at: number): Resources => ({
      Listener: [tcpListener(at, 'a', make.source, '5s')],
    });
    const tcp = ['on_demand_cluster_attempt', 'on_demand_cluster_success', 'downstream_cx_no_route'];
    await compared({ ...setting, begin, stats: tcp.map((name) => `tcp.tcp.${name}`) }, async (one, make) => {
      await serves(one);
      const first = ask(one.port, {});
      await asked(one, 'a');
      await one.plane.set('2', { ...begin(make, one.port), Cluster: [fixedCluster('a', port)] });
      return first;
    });
  });

  test('a connection whose cluster takes too long is closed', async () => {
    const begin = (make: ResourceMaker, at: number): Resources => ({
      Listener: [tcpListener(at, 'a', make.source, '0.3s')],
    });
    const tcp = ['on_demand_cluster_attempt', 'on_demand_cluster_timeout', 'downstream_cx_no_route'];
    await compared({ ...setting, begin, stats: tcp.map((name) => `tcp.tcp.${name}`) }, async (one) => {
      await serves(one);
      return ask(one.port, {}).catch(() => 'closed');
    });
  });
});
