import type { RouteAction } from '../proto/envoy/config/route/v3/route_components_pb.js';
import type { RouteConfiguration } from '../proto/envoy/config/route/v3/route_pb.js';
import type { ConfigReason } from './problem.ts';

/** A domain may stand in one virtual host of a route configuration only, whatever its case, and `*` once. */
export function checkDomains(routes: RouteConfiguration, path: string): ConfigReason[] {
  const reasons: ConfigReason[] = [];
  const first = new Map<string, string>();
  routes.virtualHosts.forEach(({ domains }, hostIndex) => {
    domains.forEach((domain, index) => {
      const at = `${path === '' ? '' : `${path}.`}virtual_hosts[${hostIndex}].domains[${index}]`;
      const before = first.get(domain.toLowerCase());
      if (before === undefined) {
        first.set(domain.toLowerCase(), at);
        return;
      }
      const message = `the domain ${JSON.stringify(domain)} is there already: ${before}`;
      reasons.push({ path: at, message, found: JSON.stringify(domain) });
    });
  });
  return reasons;
}

/** Hands every cluster that a route names, and its path, to `check`. As in Envoy, routes of a matcher tree may name any. */
export function checkRouteClusters(
  routes: RouteConfiguration,
  path: string,
  check: (name: string, path: string) => void,
): ConfigReason[] {
  const reasons: ConfigReason[] = [];
  const plugins = new Set(routes.clusterSpecifierPlugins.map((plugin) => plugin.extension?.name ?? ''));
  routes.virtualHosts.forEach((host, hostIndex) => {
    const hostPath = `${path}.virtual_hosts[${hostIndex}]`;
    host.routes.forEach((route, index) => {
      if (route.action.case !== 'route') return;
      const action = route.action.value;
      const at = `${hostPath}.routes[${index}].route`;
      checkAction(action, at, check);
      if (action.clusterSpecifier.case === 'clusterSpecifierPlugin' && !plugins.has(action.clusterSpecifier.value))
        reasons.push({
          path: `${at}.cluster_specifier_plugin`,
          message: `there is no cluster specifier plugin ${JSON.stringify(action.clusterSpecifier.value)}`,
        });
      // The nearest policies count; those of the host and of the table only where a route uses them, as with Envoy.
      const [policies, from] =
        action.requestMirrorPolicies.length > 0
          ? [action.requestMirrorPolicies, at]
          : host.requestMirrorPolicies.length > 0
            ? [host.requestMirrorPolicies, hostPath]
            : [routes.requestMirrorPolicies, path];
      policies.forEach(({ cluster }, policyIndex) => {
        if (cluster !== '') check(cluster, `${from}.request_mirror_policies[${policyIndex}].cluster`);
      });
    });
  });
  return reasons;
}

function checkAction(action: RouteAction, path: string, check: (name: string, path: string) => void): void {
  const target = action.clusterSpecifier;
  if (target.case === 'cluster') check(target.value, `${path}.cluster`);
  if (target.case !== 'weightedClusters') return;
  target.value.clusters.forEach(({ name }, index) => {
    if (name !== '') check(name, `${path}.weighted_clusters.clusters[${index}].name`);
  });
}
