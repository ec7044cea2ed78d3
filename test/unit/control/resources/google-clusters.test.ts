import { expect, test } from 'vitest';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { loadConfiguration, type Configuration } from '../../../../src/control/configuration.ts';
import { extensionEntries } from '../../../../src/extensions.ts';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { Authority } from '../../../certificates.ts';

type Json = Record<string, unknown>;

async function load(...services: Json[]): Promise<Configuration> {
  const sources = services.map((service) => ({
    cds_config: {
      resource_api_version: 'V3',
      api_config_source: { api_type: 'GRPC', transport_api_version: 'V3', grpc_services: [{ google_grpc: service }] },
    },
  }));
  const [cds, lds] = sources.map(({ cds_config }) => cds_config);
  const bootstrap = {
    node: { id: 'me', cluster: 'mine' },
    dynamic_resources: { cds_config: cds, ...(lds !== undefined && { lds_config: lds }) },
  };
  const source = {
    overrideYaml: JSON.stringify(bootstrap),
    serviceNode: '',
    serviceCluster: '',
    serviceZone: '',
    hasLogFormat: false,
    statsTags: [],
    allowUnknown: false,
  };
  return loadConfiguration(source, new ExtensionTable(extensionEntries));
}

async function clusters(...services: Json[]): Promise<readonly ClusterData[]> {
  const configuration = await load(...services);
  if (configuration.isRefused) throw new Error(configuration.problems.map(({ message }) => message).join('; '));
  return configuration.data.clusters;
}

const service = { target_uri: 'a.test:1', stat_prefix: 'p' };

test('each service has a cluster of HTTP/2, once', async () => {
  const [made, ...others] = await clusters(service, service);
  expect(others).toEqual([]);
  expect(made).toMatchObject({
    name: expect.stringMatching(/^google_grpc_p_/) as string,
    discovery: { kind: 'strict-dns', targets: [{ name: 'a.test', port: 1 }] },
    transports: [{ socket: { kind: 'raw' } }],
    channel: { statPrefix: 'p', credentials: [] },
  });
});

test('addresses and sockets need not be looked up', async () => {
  const hosts = async (target_uri: string) =>
    (await clusters({ ...service, target_uri }))[0].hosts.map(({ address }) => address);
  expect(await hosts('ipv4:1.2.3.4:5,6.7.8.9:10')).toEqual([
    { kind: 'ip', host: '1.2.3.4', port: 5 },
    { kind: 'ip', host: '6.7.8.9', port: 10 },
  ]);
  expect(await hosts('unix:/a/b')).toMatchObject([{ kind: 'pipe', host: '/a/b' }]);
});

test('TLS with these roots, to whom was asked for', async () => {
  const { rootPem } = await Authority.root();
  const ssl = { channel_credentials: { ssl_credentials: { root_certs: { inline_string: rootPem } } } };
  const override = { channel_args: { args: { 'grpc.ssl_target_name_override': { string_value: 'b.test' } } } };
  for (const [more, name] of [
    [{}, 'a.test'],
    [override, 'b.test'],
  ] as const) {
    const [{ transports }] = await clusters({ ...service, ...ssl, ...more });
    expect(JSON.stringify(transports)).toContain(`"${name}"`);
    expect(transports).toMatchObject([{ socket: { kind: 'tls', tls: { sni: name } } }]);
  }
});

test('what cannot be used refuses the configuration', async () => {
  const ssl = { channel_credentials: { ssl_credentials: { root_certs: { inline_string: 'nothing' } } } };
  const { isRefused } = await load({ ...service, ...ssl });
  expect(isRefused).toBe(true);
});
