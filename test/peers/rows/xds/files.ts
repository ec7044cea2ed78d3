import { dump, load } from 'js-yaml';
import type { Yaml } from '../../config.ts';

/** A source that is a file of `{{directory}}`, read again when it is moved over. */
export function fromFile(file: string, timeout = '0.2s'): Yaml {
  return {
    resource_api_version: 'V3',
    initial_fetch_timeout: timeout,
    path_config_source: { path: `{{directory}}/${file}` },
  };
}

/** What such a file holds. `resources`: YAML of each, without its type. */
export function response(version: string, type: string, ...resources: readonly (string | Yaml)[]): string {
  const typed = resources.map((resource) => ({
    '@type': `type.googleapis.com/${type}`,
    ...(typeof resource === 'string' ? (load(resource) as Yaml) : resource),
  }));
  const text = dump({ version_info: version, resources: typed }, { lineWidth: -1 });
  return text.replaceAll(/'(\{\{\w+\}\})'/g, '$1');
}

/** Both proxies insist that whoever asks for resources has a name. */
export const node: Yaml = { id: 'peers', cluster: 'peers' };

/** Instants, and what is made of texts with 64 bits. */
export const ignoredStats = /update_time|config_reload_time_ms|\.version$|update_duration/;

export const dumpIgnores = /last_update/;
