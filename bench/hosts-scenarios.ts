import { setTimeout as sleep } from 'node:timers/promises';
import { wrk, type WrkLoad } from './load/wrk.ts';
import type { OwnScenario } from './scenario.ts';
import { cpu, firstAnswer, perRequest, rate, user } from './scenarios.ts';
import { hostsShapes, type HostsShape } from './target.ts';
import { hosts } from './targets/workload.ts';

/** Users that are hashed, and subsets in turn; more of them than any cache of a route has places. */
const requests = 20_000;

function requestsOf(shape: HostsShape): Pick<WrkLoad, 'requestsLua'> {
  const path = shape === 'hosts-subsets' ? `"/v" .. n % ${hosts.subsets} .. "/items"` : '"/items"';
  return {
    requestsLua: `
  for n = 1, ${requests} do
    requests[n] = wrk.format("GET", ${path}, { ["Host"] = "bench.example.com", ["x-user"] = "user-" .. n * 7919 }, nil)
  end`,
  };
}

/**
 * What a cluster of very many hosts costs: a request, with a connection to each of them, and its start. Nobody else is
 * running meanwhile, so that the upstream has no more connections than that.
 */
export const hostsScenarios: readonly OwnScenario[] = hostsShapes.map((shape) => ({
  kind: 'own',
  name: shape,
  summary: `${hosts.count} hosts in one cluster, ${shape.slice('hosts-'.length).replace('-', ' ')}`,
  shape,
  goal: 0.5,
  metrics: [
    cpu,
    user,
    rate,
    { key: 'readyMs', title: 'ready ms', digits: 0, hasRatio: true },
    { key: 'rssMib', title: 'RSS MiB', digits: 0, hasRatio: true },
  ],
  measure: async (start, { seconds }) => {
    const running = await start(1);
    const { listenPort: port, directory } = running.place;
    const readyMs = await firstAnswer(running, 'bench.example.com', shape === 'hosts-subsets' ? '/v1/' : '/');
    const load = { port, directory, connections: 64, ...requestsOf(shape) };
    // Until there is a connection to nearly every host.
    await wrk({ ...load, seconds: 4 });
    await sleep(200);
    const sample = await perRequest(running, () => wrk({ ...load, seconds }));
    return { ...sample, readyMs, rssMib: running.program.rss() / 2 ** 20 };
  },
}));
