import type { App } from './app.ts';
import { RuntimeLayers } from './control/resources/runtime-layers.ts';
import type { Loop } from './net/loop.ts';

/** The layers of the runtime that control planes fill. Resolves when nobody need wait for them. */
export async function warmRuntime(app: App, loop: Loop): Promise<void> {
  const layers = (app.runtimeLayers ??= await open(app, loop));
  layers.replace(app.configuration.data.runtimeLayers);
  await layers.whenReady();
}

async function open(app: App, loop: Loop): Promise<RuntimeLayers> {
  const { subscriptions } = await app.openOwn();
  return new RuntimeLayers({
    loop,
    subscriptions,
    stats: app.ownStats.root,
    setText: (name, value) => app.stats.setText(name, value),
    onEntries: (layer, entries) => app.runtime.setDiscovered(layer, entries),
  });
}
