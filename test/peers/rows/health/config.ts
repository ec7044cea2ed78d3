import { load } from 'js-yaml';
import { cluster, endpoint, type Yaml } from '../../config.ts';

/** Of `/clusters` only what is said of health, and of stats only what does not depend on how often is checked. */
export const onlyHealth = /^admin\.line (?!.*health_flags)/;
export const steadyStats =
  /membership_|ejections_|health_check\.(healthy|degraded|passive_failure)$|upstream_rq_\d|no_route/;

/** Checks follow each other closely, whether the cluster is used or not. */
const often = { interval: '0.05s', no_traffic_interval: '0.05s', unhealthy_threshold: 2, healthy_threshold: 2 };

/** A cluster whose hosts are checked: `check` are further fields of the health check. */
export function checked(name: string, upstreams: readonly string[], check: string, more = '{}', timeout = '5s'): Yaml {
  return {
    ...cluster(name, upstreams),
    // Workers hear of each change at once, and nobody uses what has failed.
    common_lb_config: { update_merge_window: '0s', healthy_panic_threshold: { value: 0 } },
    health_checks: [{ ...often, timeout, ...(load(check) as Yaml) }],
    ...(load(more) as Yaml),
  };
}

/** The endpoints of `checked` instead: names, and further fields of each `endpoint`. */
export function endpoints(name: string, list: readonly (readonly [string, string])[]): Yaml {
  const lbEndpoints = list.map(([upstream, more]) => {
    const { endpoint: plain } = endpoint(upstream) as { endpoint: Yaml };
    return { endpoint: { ...plain, ...(load(more) as Yaml) } };
  });
  return { load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: lbEndpoints }] } };
}

export const flags = (name: string): string => `/clusters?filter=^${name}$`;
