/** What the admin interface writes and shows of the command line, its own access logs and the bootstrap's node. */
import { expect, test } from 'vitest';
import { App } from './app.ts';

const file = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';

function config(stats: object = {}): object {
  return {
    node: { id: 'n', cluster: 'c', metadata: { team: { name: 'edge' } } },
    admin: {
      address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
      access_log_path: '{{folder}}/all.log',
      access_log: [
        {
          name: 'some',
          filter: { header_filter: { header: { name: ':path', string_match: { prefix: '/server' } } } },
          typed_config: {
            '@type': file,
            path: '{{folder}}/some.log',
            log_format: { text_format_source: { inline_string: '%REQ(:PATH)%\n' } },
          },
        },
      ],
    },
    ...stats,
  };
}

test('the admin logs its requests, in both ways of asking for it and by filters on headers', async () => {
  const app = await App.start(config(), { args: ['--file-flush-interval-msec', '50'] });
  await app.admin('/server_info');
  await app.admin('/memory');
  app.signal('SIGTERM');
  await app.exit();
  expect(app.readLog('some.log')).toEqual(['/server_info']);
  const all = app.readLog('all.log').filter((line) => !line.includes('/ready'));
  expect(all.map((line) => /"(\S+ \S+) HTTP\/1.1" 200/.exec(line)?.[1])).toEqual(['GET /server_info', 'GET /memory']);
});

test('/server_info shows the node as given, under the names of the command line', async () => {
  const app = await App.start(config(), { args: ['--service-cluster', 'mine', '--service-zone', 'z'] });
  const { node } = JSON.parse((await app.admin('/server_info')).body) as { node: object };
  expect(node).toMatchObject({
    id: 'n',
    cluster: 'mine',
    metadata: { team: { name: 'edge' } },
    locality: { region: '', zone: 'z', sub_zone: '' },
  });
});

test('--stats-tag tags every stat; another stats_config takes effect with a reload', async () => {
  const app = await App.start(config(), { args: ['--stats-tag', 'site:north'] });
  const live = async (): Promise<string | undefined> =>
    (await app.admin('/stats/prometheus')).body.split('\n').find((line) => line.startsWith('envoy_server_live{'));
  expect(await live()).toBe('envoy_server_live{site="north"} 1');
  await app.reload(config({ stats_config: { stats_tags: [{ tag_name: 'color', fixed_value: 'red' }] } }));
  expect(await live()).toBe('envoy_server_live{site="north",color="red"} 1');
});

test('/config_dump has no routes section without a connection manager', async () => {
  const app = await App.start(config());
  const { configs } = JSON.parse((await app.admin('/config_dump')).body) as { configs: { '@type': string }[] };
  const types = configs.map((one) => one['@type'].replace('type.googleapis.com/envoy.admin.v3.', ''));
  expect(types).toEqual(['BootstrapConfigDump', 'ClustersConfigDump', 'ListenersConfigDump', 'SecretsConfigDump']);
});
