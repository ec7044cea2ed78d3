import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { runIptables } from '../../../../src/cli/agent/iptables.ts';
import { requestAdmin } from '../../../../src/cli/agent/request.ts';
import { waitUntilReady } from '../../../../src/cli/agent/wait.ts';
import { readCommandLine, type Invocation } from '../../../../src/cli/command-line.ts';

const read = (...args: string[]): Invocation => readCommandLine(args, '');

describe('the proxy', () => {
  test.each([[['agent', 'proxy', 'router']], [['proxy', 'router']]])('%j', (args) => {
    const stock = [
      '--domain',
      'ns.svc.cluster.local',
      '--proxyLogLevel=warning',
      '--proxyComponentLogLevel=misc:error',
    ];
    const more = [
      '--log_output_level=default:warn,sds:debug',
      '--log_as_json',
      '--stsPort=0',
      '--of-another-release=1',
    ];
    expect(read(...args, ...stock, ...more)).toEqual({
      command: 'agent',
      logLevel: 'warning',
      flags: {
        type: 'router',
        domain: 'ns.svc.cluster.local',
        meshConfigPath: './etc/istio/config/mesh',
        serviceCluster: 'istio-proxy',
        proxyLogLevel: 'warning',
        proxyComponentLogLevel: 'misc:error',
        concurrency: 0,
        outlierLogPath: '',
        templateFile: '',
        logsJson: true,
      },
    });
  });

  test('a sidecar, if nothing is said', () => {
    expect(read('agent', 'proxy')).toMatchObject({ flags: { type: 'sidecar' }, logLevel: 'info' });
  });

  test.each([
    [['proxy', 'agentgateway'], "error: invalid proxy type 'agentgateway'; allowed: sidecar, router, waypoint\n"],
    [['proxy', '--stsPort=15463'], 'error: --stsPort is not supported by sekisho: there is no token service\n'],
    [['proxy', '--concurrency=many'], "error: 'many' is no whole number\n"],
  ])('%j is refused', (args, words) => {
    expect(read(...args)).toEqual({ command: 'print', text: words, exitCode: 1 });
  });
});

describe('wait and request', () => {
  const servers: ReturnType<typeof createServer>[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(statuses: number[]): Promise<string> {
    const server = createServer((_, response) => response.writeHead(statuses.shift() ?? 200).end('an answer'));
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('as the template writes them', () => {
    expect(read('wait')).toMatchObject({ wait: { timeoutMs: 60_000, url: 'http://localhost:15021/healthz/ready' } });
    expect(read('agent', 'request', '--debug-port=15020', 'POST', 'drain')).toEqual({
      command: 'request',
      request: { method: 'POST', path: 'drain', body: '', port: 15_020 },
    });
    expect(read('request', 'GET', 'stats', '--debug-port', '80')).toMatchObject({ exitCode: 1 });
  });

  test('waits until it is answered with 200', async () => {
    const url = await serve([503, 503]);
    expect(await waitUntilReady({ url, timeoutMs: 60_000, requestTimeoutMs: 5000, periodMs: 1 })).toBeNull();
  });

  test('and no longer than it is told to', async () => {
    const url = await serve(Array<number>(1000).fill(503));
    expect(await waitUntilReady({ url, timeoutMs: 20, requestTimeoutMs: 5000, periodMs: 5 })).toBe(
      'timeout waiting for Envoy proxy to become ready. Last error: HTTP status code 503',
    );
  });

  test('asks the admin', async () => {
    const port = Number((await serve([200, 404])).split(':').at(-1));
    expect(await requestAdmin({ method: 'GET', path: '/stats', body: '', port })).toEqual({
      text: 'an answer\n',
      isGood: true,
    });
    expect(await requestAdmin({ method: 'POST', path: 'x', body: 'b', port })).toMatchObject({ isGood: false });
    expect(await requestAdmin({ method: 'GET', path: 'x', body: '', port: 1 })).toMatchObject({ isGood: false });
  });
});

describe('rules', () => {
  const template = [
    '-p',
    '15001',
    '-z',
    '15006',
    '-u',
    '1337',
    '-m',
    'REDIRECT',
    '-i',
    '*',
    '-x',
    '',
    '-b',
    '*',
    '-d',
    '15090',
  ];

  test('as the template writes them', () => {
    expect(read('istio-iptables', ...template, '--log_output_level=default:info', '--run-validation')).toEqual({
      command: 'iptables',
      iptables: {
        wish: {
          outboundPort: '15001',
          inboundPort: '15006',
          proxyUids: '1337',
          mode: 'REDIRECT',
          outboundRanges: '*',
          outboundRangesExcluded: '',
          inboundPorts: '*',
          inboundPortsExcluded: '15090',
        },
        action: 'apply',
        isValidated: true,
        probePort: null,
        probeTimeoutMs: null,
      },
    });
  });

  test.each([
    [['iptables', '--cleanup'], 'cleanup'],
    [['istio-iptables', '--cleanup-only'], 'cleanup'],
    [['istio-clean-iptables'], 'cleanup'],
    [['iptables', '-n'], 'print'],
    [['agent', 'istio-iptables', '--skip-rule-apply', '--run-validation'], 'validate'],
  ])('%j', (args, action) => {
    expect(read(...args)).toMatchObject({ command: 'iptables', iptables: { action } });
  });

  test('what a validation tries', () => {
    expect(read('istio-iptables', '--iptables-probe-port=15003', '--probe-timeout', '1m')).toMatchObject({
      iptables: { probePort: 15_003, probeTimeoutMs: 60_000 },
    });
  });

  test.each([
    ['--iptables-probe-port=65536', "error: '65536' is no port\n"],
    ['--probe-timeout=5', "error: '5' is no time, as 5s or 1m is\n"],
  ])('%s is refused', (flag, text) => {
    expect(read('istio-iptables', flag)).toEqual({ command: 'print', text, exitCode: 1 });
  });

  test('flags of a CNI plugin, and what is always done, change nothing', () => {
    const flags = ['--network-namespace', '/proc/1/ns/net', '--cni-mode', '--reconcile', '--force-apply'];
    expect(read('istio-iptables', ...flags)).toEqual(read('istio-iptables'));
  });

  test('where nobody is redirected, the validation ends with its own status', async () => {
    const wish = { outboundPort: '39001', inboundPort: '39006' };
    const probing = { wish, action: 'validate', isValidated: true, probePort: 39_002, probeTimeoutMs: 1 } as const;
    expect(await runIptables(probing, {})).toMatchObject({ status: 126 });
    expect(await runIptables({ ...probing, probeTimeoutMs: null }, { PROBE_TIMEOUT: '1ms' })).toMatchObject({
      status: 126,
    });
  });

  test('by nftables there are none', () => {
    expect(read('istio-iptables', '--native-nftables')).toMatchObject({
      exitCode: 1,
      text: 'error: --native-nftables is not supported by sekisho: rules are set by iptables-restore\n',
    });
  });

  test('are printed, or refused', async () => {
    const invocation = {
      wish: { inboundPorts: '80' },
      action: 'print',
      isValidated: false,
      probePort: null,
      probeTimeoutMs: null,
    } as const;
    const { status, text } = await runIptables(invocation, { PROXY_UID: '7' });
    expect(status).toBe(0);
    expect(text).toContain('-m owner --uid-owner 7 -j RETURN\n');
    expect(await runIptables({ ...invocation, wish: { mode: 'x' } }, {})).toMatchObject({ status: 1 });
  });
});
