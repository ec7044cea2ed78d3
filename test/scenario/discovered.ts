import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

type Json = Record<string, unknown>;

/** Files that are sources of resources, in a folder that ends with the test. */
export class Resources {
  readonly folder: string;
  private version: number;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'sekisho-xds-'));
    this.version = 0;
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** ConfigSource of the file of this name. */
  source(name: string): Json {
    return {
      resource_api_version: 'V3',
      initial_fetch_timeout: '0s',
      path_config_source: { path: join(this.folder, name) },
    };
  }

  /** Another version takes the place of the file, in one step. */
  put(name: string, type: string, ...resources: readonly Json[]): void {
    const typed = resources.map((resource) => ({ '@type': `type.googleapis.com/envoy.config.${type}`, ...resource }));
    const next = join(this.folder, `${name}.next`);
    writeFileSync(next, JSON.stringify({ version_info: String(++this.version), resources: typed }));
    renameSync(next, join(this.folder, name));
  }

  putRoutes(name: string, routes: readonly Json[], file = 'rds.json'): void {
    const virtualHosts = [{ name: 'all', domains: ['*'], routes }];
    this.put(file, 'route.v3.RouteConfiguration', { name, virtual_hosts: virtualHosts });
  }

  putListeners(...listeners: readonly Json[]): void {
    this.put('lds.json', 'listener.v3.Listener', ...listeners);
  }
}
