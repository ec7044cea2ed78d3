import type { UnreadyTargetsReport } from './admin/admin-source.ts';
import type { App } from './app.ts';
import type { ListenerNeeds } from './control/bootstrap-data.ts';
import type { SecretSourceData } from './identity/secret-source-data.ts';

/** What each listener, written in the configuration or discovered, still waits for: under Envoy's names. */
export function unreadyTargets(app: App): UnreadyTargetsReport[] {
  const { listeners, secrets, listenerNeeds } = app.configuration.data;
  const own = listeners.map(({ name }) => report(app, name, secrets.ofListeners.get(name), listenerNeeds.get(name)));
  const directory = app.listeners?.listeners;
  const discovered = directory === undefined ? [] : [...directory.active.values(), ...directory.warming.values()];
  const waiting = discovered.filter(({ isReady }) => !isReady);
  return [...own, ...waiting.map(({ name, decoded }) => report(app, name, decoded.secrets, decoded.needs))];
}

function report(
  app: App,
  name: string,
  ofSecrets: readonly SecretSourceData[] = [],
  needs: ListenerNeeds = { routes: [], scopes: [], extensions: [] },
): UnreadyTargetsReport {
  const { secrets, listeners } = app;
  const targets = new Set<string>();
  if (listeners !== null) {
    const { routes, scopes, extensions } = listeners;
    for (const route of needs.routes) {
      if (!routes.resources.areReady([route]))
        targets.add(`shared target RdsRouteConfigSubscription RDS init ${route.name}`);
    }
    if (!scopes.resources.areReady(needs.scopes)) targets.add("target ConfigSubscriptionCommonBase init target 'SRDS'");
    for (const extension of needs.extensions) {
      if (!extensions.resources.areReady([extension]))
        targets.add(`shared target FilterConfigSubscription init ${extension.name}`);
    }
  }
  for (const { key } of ofSecrets) {
    if (secrets !== null && !secrets.isReady(key)) targets.add(`shared target SdsApi ${secrets.nameOf(key)}`);
  }
  return { name: `init manager Listener-local-init-manager ${name}`, targetNames: [...targets] };
}
