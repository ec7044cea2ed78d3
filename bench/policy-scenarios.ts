import { wrk } from './load/wrk.ts';
import type { SharedScenario } from './scenario.ts';
import { cpu, p50, p99, perRequest, rate, realisticRequests, user } from './scenarios.ts';
import type { PolicyShape } from './target.ts';
import { tokens } from './targets/tokens.ts';
import { browserHeaders, policies } from './targets/workload.ts';

function policyScenario(shape: PolicyShape, summary: string, goal: number, lua: () => string): SharedScenario {
  return {
    kind: 'shared',
    name: shape,
    summary,
    shape,
    metrics: [cpu, user, rate, p50, p99],
    goal,
    measure: (running, { seconds }) => {
      const { listenPort: port, directory } = running.place;
      const load = { port, directory, seconds, connections: 64, headers: browserHeaders, requestsLua: lua() };
      return perRequest(running, () => wrk(load));
    },
  };
}

/** Every host's user has a token. */
function withTokens(): string {
  const signed = tokens().signed.map((token) => JSON.stringify(`Bearer ${token}`));
  return realisticRequests(`headers["Authorization"] = ({ ${signed.join(', ')} })[host + 1]`);
}

const plain = (): string => realisticRequests();

/** What it costs to ask who may do what: the realistic scenario with a filter in front. */
export const policyScenarios: readonly SharedScenario[] = [
  policyScenario('realistic-rbac', `realistic with RBAC, ${policies} policies, two for each host`, 0.45, plain),
  policyScenario('realistic-jwt', 'realistic with JWT, RS256, no cache', 0.6, withTokens),
  policyScenario('realistic-jwt-cached', 'realistic with JWT, RS256, and jwt_cache', 0.6, withTokens),
  policyScenario('realistic-ext-authz', 'realistic with ext_authz over gRPC to a local server', 0.5, plain),
];
