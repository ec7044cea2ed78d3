import { beforeAll, expect, test } from 'vitest';
import { CertificatesInUse } from '../../src/certificates-in-use.ts';
import { loadConfiguration } from '../../src/control/configuration.ts';
import { ExtensionTable } from '../../src/control/extension-table.ts';
import { extensionEntries } from '../../src/extensions.ts';
import type { SecretData } from '../../src/identity/secret-data.ts';
import type { StatsReport } from '../../src/observe/stats/stats-source.ts';
import { Authority, type Issued } from '../certificates.ts';

const dayMs = 86_400_000;
const now = Date.parse('2030-01-01T00:00:00Z');

let authority: Authority;
let soon: Issued;
let later: Issued;

beforeAll(async () => {
  const wish = { notBefore: new Date(now - dayMs), dns: ['a.example'], ips: ['10.0.0.1'], uris: ['spiffe://a/b'] };
  authority = await Authority.root('CN=root', { notBefore: wish.notBefore, notAfter: new Date(now + 900 * dayMs) });
  soon = await authority.issue({ ...wish, notAfter: new Date(now + 9.5 * dayMs) });
  later = await authority.issue({ ...wish, dns: [], ips: [], uris: [], notAfter: new Date(now + 90 * dayMs) });
});

const pair = ({ chainPem, keyPem }: Issued): object => ({
  certificate_chain: { inline_string: chainPem },
  private_key: { inline_string: keyPem },
});

function transport(kind: 'Downstream' | 'Upstream', common: object): object {
  const type = `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${kind}TlsContext`;
  return { name: 'tls', typed_config: { '@type': type, common_tls_context: common } };
}

const sds = {
  resource_api_version: 'V3',
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'c' } }],
  },
};

async function inUse(secrets: ReadonlyMap<string, SecretData> = new Map()): Promise<CertificatesInUse> {
  const proxy = 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy';
  const filters = [{ name: 'tcp', typed_config: { '@type': proxy, stat_prefix: 't', cluster: 'c' } }];
  const validation = { trusted_ca: { inline_string: authority.rootPem } };
  const chain = (common: object): object => ({ filters, transport_socket: transport('Downstream', common) });
  const bootstrap = {
    node: { id: 'a', cluster: 'b' },
    static_resources: {
      secrets: [{ name: 'static', tls_certificate: pair(later) }],
      listeners: [
        {
          name: 'l',
          address: { socket_address: { address: '127.0.0.1', port_value: 1 } },
          filter_chains: [chain({ tls_certificates: [pair(soon)], validation_context: validation })],
          default_filter_chain: chain({ tls_certificate_sds_secret_configs: [{ name: 'static' }] }),
        },
      ],
      clusters: [
        {
          name: 'c',
          type: 'STATIC',
          transport_socket: transport('Upstream', {
            tls_certificate_sds_secret_configs: [{ name: 'dynamic', sds_config: sds }],
          }),
        },
      ],
    },
  };
  const overrides = { serviceNode: '', serviceCluster: '', serviceZone: '', hasLogFormat: false, statsTags: [] };
  const source = { overrideYaml: JSON.stringify(bootstrap), allowUnknown: false, ...overrides };
  const configuration = await loadConfiguration(source, new ExtensionTable(extensionEntries));
  if (configuration.isRefused) throw new Error(configuration.problems.map(({ message }) => message).join());
  const get = (key: string): SecretData | null => [...secrets].find(([name]) => key.includes(name))?.[1] ?? null;
  return new CertificatesInUse(
    () => configuration.data,
    () => ({ get, nameOf: () => 'dynamic' }),
  );
}

function gauges(certificates: CertificatesInUse): Record<string, number> {
  const found: Record<string, number> = {};
  const report: StatsReport = { known() {}, gauge: (name, value) => (found[name] = value) };
  certificates.reportStats(report);
  return found;
}

const dynamic = (): SecretData => ({
  kind: 'certificate',
  chainPem: soon.chainPem,
  keyPem: soon.keyPem,
  pkcs12: null,
  password: '',
  ocspStaple: null,
  origin: '<inline>',
});

test("shows each context's own certificates and the first authority, as Envoy prints them", async () => {
  const [first, second] = (await inUse()).certificates(now);
  expect(first).toMatchObject({
    ca_cert: [{ path: '<inline>', subject_alt_names: [], days_until_expiration: '900' }],
    cert_chain: [
      {
        path: '<inline>',
        serial_number: soon.serial,
        subject_alt_names: [{ dns: 'a.example' }, { uri: 'spiffe://a/b' }, { ip_address: '10.0.0.1' }],
        days_until_expiration: '9',
        valid_from: '2029-12-31T00:00:00Z',
        expiration_time: '2030-01-10T12:00:00Z',
      },
    ],
  });
  expect(second).toMatchObject({ ca_cert: [], cert_chain: [{ days_until_expiration: '90', subject_alt_names: [] }] });
});

test('what has not come is not shown, and what expires first is told', async () => {
  const without = await inUse();
  expect(without.certificates(now)).toHaveLength(2);
  expect(without.daysUntilFirstExpiry(now)).toBe(9);
  const withAll = await inUse(new Map([['dynamic', dynamic()]]));
  expect(withAll.certificates(now)).toHaveLength(3);
  expect(withAll.daysUntilFirstExpiry(now + 20 * dayMs)).toBe(0);
});

test('gauges of expiry have the names of secrets, and what has none the name that Envoy gives it', async () => {
  const seconds = (days: number): number => (now + days * dayMs) / 1000;
  const name = (rest: string): string => `${rest}.expiration_unix_time_seconds`;
  expect(gauges(await inUse(new Map([['dynamic', dynamic()]])))).toEqual({
    [name('listener.127.0.0.1_1.ssl.certificate.unnamed_cert_e3b0c442')]: seconds(9.5),
    [name('listener.127.0.0.1_1.ssl.certificate.unnamed_ca_cert_e3b0c442')]: seconds(900),
    [name('listener.127.0.0.1_1.ssl.certificate.static')]: seconds(90),
    [name('cluster.c.ssl.certificate.dynamic')]: seconds(9.5),
  });
});
