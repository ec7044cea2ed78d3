import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from '../../../src/agent/agent.ts';
import { AgentError } from '../../../src/agent/agent-error.ts';
import { ControlPlane } from '../../../src/agent/control-plane.ts';
import { Environment, type Variables } from '../../../src/agent/environment.ts';
import { addressesOfInterface, machineAddresses } from '../../../src/agent/machine-addresses.ts';
import { isSocketServed } from '../../../src/agent/neighbour-socket.ts';
import { settings, type Settings } from '../../../src/agent/settings.ts';
import { freePorts } from '../../peers/ports.ts';
import { KeptLog } from '../../kept-log.ts';

let folder: string;
const before = process.cwd();

// What the agent has stands relative to its working folder.
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-'));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

function settingsOf(variables: Variables = {}): Settings {
  const flags = {
    type: 'sidecar',
    domain: '',
    meshConfigPath: '',
    serviceCluster: '',
    proxyLogLevel: '',
    proxyComponentLogLevel: '',
    concurrency: 0,
    outlierLogPath: '',
    templateFile: '',
    logsJson: false,
  } as const;
  const environment = new Environment({ POD_NAME: 'p', POD_NAMESPACE: 'n', ...variables });
  const surroundings = { environment, readFile: () => null, addresses: [], addressesOf: () => [] };
  return settings(flags, surroundings, { hasCredentialSocket: false, hasIdentitySocket: false });
}

const planeOf = (variables: Variables): ControlPlane => new ControlPlane(settingsOf(variables));

describe('the control plane', () => {
  beforeEach(() => {
    put('./var/run/secrets/istio/root-cert.pem', 'mesh');
    put('./var/run/secrets/tokens/istio-token', 'first\n');
  });

  test('its address, name and roots', () => {
    const { discovery, authority } = planeOf({});
    expect(discovery).toMatchObject({ host: 'istiod.istio-system.svc', port: 15_012 });
    const expected = { roots: 'mesh', serverName: 'istiod.istio-system.svc', certificate: null };
    expect(discovery.tls!()).toEqual(expected);
    expect(authority.tls!()).toEqual(expected);
  });

  test('another CA, and another name', () => {
    put('./other.pem', 'other');
    const plane = planeOf({
      CA_ADDR: 'ca.example:443',
      CA_ROOT_CA: './other.pem',
      XDS_ROOT_CA: 'SYSTEM',
      ISTIOD_SAN: 'other.svc',
    });
    expect(plane.authority).toMatchObject({ host: 'ca.example', port: 443 });
    expect(plane.authority.tls!()).toEqual({ roots: 'other', serverName: 'ca.example', certificate: null });
    expect(plane.discovery.tls!()).toEqual({ roots: null, serverName: 'other.svc', certificate: null });
  });

  test('of this machine, by its usual name; without TLS at its port for that', () => {
    const local = (port: number): Variables => ({ PROXY_CONFIG: `discoveryAddress: localhost:${port}` });
    expect(planeOf(local(15_012)).discovery.tls!().serverName).toBe('istiod.istio-system.svc');
    expect(planeOf(local(15_010)).discovery.tls).toBeNull();
    expect(planeOf(local(15_010)).authority.tls).toBeNull();
  });

  test('a certificate of the machine', () => {
    for (const name of ['cert-chain.pem', 'key.pem', 'root-cert.pem']) put(`./prov/${name}`, name);
    expect(planeOf({ PROV_CERT: './prov' }).discovery.tls!()).toEqual({
      roots: 'root-cert.pem',
      serverName: 'istiod.istio-system.svc',
      certificate: { chain: 'cert-chain.pem', key: 'key.pem' },
    });
  });

  test('the token is read each time; headers of variables', () => {
    const plane = planeOf({ ISTIO_META_CLUSTER_ID: 'c', XDS_HEADER_ONE: '1', CA_HEADER_TWO: '2' });
    expect(plane.discoveryMetadata()).toEqual({ one: '1', clusterid: 'c', authorization: 'Bearer first' });
    put('./var/run/secrets/tokens/istio-token', 'second');
    expect(plane.authorityMetadata()).toEqual({ two: '2', clusterid: 'c', authorization: 'Bearer second' });
    expect(planeOf({ JWT_POLICY: 'none' }).discoveryMetadata()).toEqual({});
  });

  test('without roots it is not asked', () => {
    const plane = planeOf({ PILOT_CERT_PROVIDER: 'none' });
    expect(() => plane.discovery.tls!()).toThrow(AgentError);
    expect(() => plane.authority.tls!()).toThrow(AgentError);
    expect(() => planeOf({ PROXY_CONFIG: 'discoveryAddress: nowhere' }).discovery).toThrow(AgentError);
  });
});

describe('an agent', () => {
  const variablesWith = async (more: Variables = {}): Promise<Variables> => {
    const [statusPort, adminPort] = await freePorts(2);
    return { PROXY_CONFIG: JSON.stringify({ statusPort, proxyAdminPort: adminPort }), ...more };
  };
  const openWith = async (more: Variables = {}): Promise<Agent> => {
    const found = settingsOf(await variablesWith(more));
    return Agent.open({ settings: found, hasIdentitySocket: false, log: new KeptLog(), onQuit: () => {} });
  };

  test('opens what the proxy asks for, and leaves nothing', async () => {
    put('./var/run/secrets/istio/root-cert.pem', 'mesh');
    const agent = await openWith();
    const sockets = ['./etc/istio/proxy/XDS', './var/run/secrets/workload-spiffe-uds/socket'];
    for (const socket of sockets) expect(await isSocketServed(socket)).toBe(true);
    const written = JSON.parse(readFileSync('./etc/istio/proxy/envoy-rev.json', 'utf8')) as { node: { id: string } };
    expect(written.node.id).toBe('sidecar~127.0.0.1~p.n~n.svc.cluster.local');
    agent.close();
    for (const path of [...sockets, './etc/istio/proxy/envoy-rev.json']) expect(existsSync(path)).toBe(false);
  });

  test.each([
    [{ DISABLE_ENVOY: 'true' }, 'DISABLE_ENVOY is not supported by sekisho'],
    [{ CREDENTIAL_FETCHER_TYPE: 'GoogleComputeEngine' }, "CREDENTIAL_FETCHER_TYPE is 'GoogleComputeEngine'"],
    [{ CA_PROVIDER: 'GoogleCA' }, "CA_PROVIDER is 'GoogleCA'"],
    [{ FILE_MOUNTED_CERTS: 'true', PROV_CERT: 'x' }, 'PROV_CERT and FILE_MOUNTED_CERTS exclude each other'],
  ])('%j is refused', async (variables, reason) => {
    await expect(openWith(variables)).rejects.toThrow(reason);
  });
});

test('a socket that is left over is taken away', async () => {
  const server: Server = createServer();
  await new Promise<void>((resolve) => void server.listen('./socket', resolve));
  expect(await isSocketServed('./socket')).toBe(true);
  await new Promise((resolve) => void server.close(resolve));
  writeFileSync('./file', '');
  expect(await isSocketServed('./file')).toBe(false);
  expect(await isSocketServed('./none')).toBe(false);
});

test('addresses of the machine are those of its interfaces', () => {
  expect(machineAddresses().every((address) => !/^(127\.|::1$|169\.254\.|fe80)/.test(address))).toBe(true);
  expect(addressesOfInterface('none such')).toEqual([]);
});
