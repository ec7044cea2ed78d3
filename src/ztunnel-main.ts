import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseResolvConf } from './agent/dns/resolv-conf.ts';
import { UpstreamResolver } from './agent/dns/upstream-resolver.ts';
import { machineTime } from './agent/identity/later.ts';
import { Loop } from './net/loop.ts';
import { FakeAuthority } from './ztunnel/certificates/fake-authority.ts';
import { RevocationFile } from './ztunnel/certificates/revocation-file.ts';
import type { CertificateAuthority } from './ztunnel/certificates/authority.ts';
import { IstiodAuthority } from './ztunnel/certificates/istiod-authority.ts';
import { nodeOf } from './ztunnel/discovery/discovery-decode.ts';
import { istiodChannel, istiodMetadata } from './ztunnel/discovery/istiod-channel.ts';
import { IstiodStream } from './ztunnel/discovery/istiod-stream.ts';
import { MeshDiscovery } from './ztunnel/discovery/mesh-discovery.ts';
import { CniConnection } from './ztunnel/cni/cni-connection.ts';
import { NodePods, type PodProxies } from './ztunnel/cni/node-pods.ts';
import { DnsOfPods } from './ztunnel/dns/dns-of-pods.ts';
import { HttpPages, plainText, type Page } from './ztunnel/process/http-pages.ts';
import { configDump } from './ztunnel/process/config-dump.ts';
import { metricsPage, ProcessCounts } from './ztunnel/process/metrics-page.ts';
import { ZtunnelProcess } from './ztunnel/process/ztunnel-process.ts';
import { parseZtunnelLevel, readZtunnelSettings, type Variables, type ZtunnelSettings } from './ztunnel/settings.ts';
import { LineLog } from './ztunnel/telemetry/line-log.ts';
import { levelNames, ZtunnelLevel, type LogLines } from './ztunnel/telemetry/log-lines.ts';
import { OwnLog } from './ztunnel/telemetry/own-log.ts';

/** Workloads with services, and policies. */
const kindsOfMesh = 2;

const dnsPort = 15053;
const dnsTimeoutMs = 5000;

/** `sekisho ztunnel`: the node proxy of Istio's ambient mesh. */
export async function runZtunnel(
  variables: Variables,
  version: string,
  workerEntry: URL,
  onSignal: (end: (signal: string) => void) => void,
): Promise<void> {
  let settings: ZtunnelSettings;
  try {
    settings = readZtunnelSettings(variables, { processors: availableParallelism(), exists: existsSync });
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n`);
    process.exit(1);
  }
  const lines = new OwnLog(settings.isJsonLog);
  lines.level = settings.level;
  const exit = (status: number): never => {
    lines.finish();
    process.exit(status);
  };
  const environment = { settings, lines, authority: authorityOf(settings), workerEntry, version, exit };
  const ztunnel = new ZtunnelProcess(environment);
  const ready = ztunnel.readiness.waitFor('proxy');
  let isEnding = false;
  const end = (signal: string): void => {
    if (isEnding) exit(0);
    isEnding = true;
    lines.write(ZtunnelLevel.Info, 'ztunnel', `${signal}: shutting down, for at most ${settings.proxy.drainMs} ms`);
    void leave(ztunnel, exit);
  };
  onSignal(end);
  try {
    await openPages(ztunnel, settings, () => end('quitquitquit'));
    ztunnel.loadLocal();
    followRevocation(ztunnel, lines);
    const { dedicated, xdsAddress } = settings;
    if (xdsAddress !== '') await discover(ztunnel, lines);
    if (dedicated !== null) await addOwn(ztunnel, dedicated);
    else followNode(ztunnel, lines);
    ready();
    lines.write(ZtunnelLevel.Info, 'ztunnel', 'started');
  } catch (error) {
    lines.write(ZtunnelLevel.Error, 'ztunnel', (error as Error).message);
    exit(1);
  }
}

async function leave(ztunnel: ZtunnelProcess, exit: (status: number) => never): Promise<void> {
  await ztunnel.drain();
  ztunnel.stop();
  exit(0);
}

function authorityOf(settings: ZtunnelSettings): CertificateAuthority {
  const { caAddress, caRoots, caServerName, secretLifetimeMs, token, caHeaders, proxy } = settings;
  if (settings.isCaFake || caAddress === '') return new FakeAuthority(secretLifetimeMs);
  return new IstiodAuthority({
    channel: istiodChannel({ url: caAddress, roots: caRoots, serverName: caServerName }),
    metadata: () => istiodMetadata(token, proxy.clusterId, caHeaders),
    lifetimeMs: secretLifetimeMs,
    impersonates: settings.dedicated === null,
  });
}

/** CRL_PATH: lists that are there, or come, or change. */
function followRevocation(ztunnel: ZtunnelProcess, lines: LogLines): void {
  const { revocationPath } = ztunnel.settings;
  if (revocationPath === '') return;
  new RevocationFile(revocationPath, machineTime, new LineLog(lines, 'crl'), (revoked) =>
    ztunnel.revoke(revoked),
  ).start();
}

/** Resolves when istiod has said everything once: before that nobody's connections are taken. */
function discover(ztunnel: ZtunnelProcess, lines: LogLines): Promise<void> {
  const { settings, counts } = ztunnel;
  const { xdsAddress, xdsRoots, xdsServerName, token, xdsHeaders, proxy } = settings;
  const done = ztunnel.readiness.waitFor('xds');
  const loop = new Loop();
  const stream = new IstiodStream({
    channel: istiodChannel({ url: xdsAddress, roots: xdsRoots, serverName: xdsServerName }),
    metadata: () => istiodMetadata(token, proxy.clusterId, xdsHeaders),
    later: machineTime,
    entered: (act) => {
      loop.enter();
      act();
      loop.leave();
    },
    onMessage: (typeUrl, bytes) => {
      ProcessCounts.add(counts.xdsMessages, typeUrl, 1);
      ProcessCounts.add(counts.xdsBytes, typeUrl, bytes);
    },
    onEnded: (why, message) => {
      ProcessCounts.add(counts.xdsTerminations, why, 1);
      lines.write(ZtunnelLevel.Warn, 'xds', `the stream to the control plane ended (${why}): ${message}`);
    },
  });
  return new Promise((resolve) => {
    const seen = new Set<string>();
    const kinds = proxy.isOnDemand ? kindsOfMesh - 1 : kindsOfMesh;
    const knows = proxy.isOnDemand ? (key: string) => ztunnel.mesh.knows(key) : null;
    const discovery = new MeshDiscovery(stream, nodeOf(settings), loop, new LineLog(lines, 'xds'), {
      knows,
      apply: (change) => ztunnel.apply(change),
      onFirst: (typeUrl) => {
        seen.add(typeUrl);
        if (seen.size < kinds) return;
        done();
        resolve();
      },
    });
    ztunnel.addresses = discovery.addresses;
    discovery.start();
  });
}

/** The one workload that it is for. */
function addOwn(ztunnel: ZtunnelProcess, info: NonNullable<ZtunnelSettings['dedicated']>): Promise<void> {
  return new Promise((resolve, reject) => {
    ztunnel.addProxy(`${info.namespace}/${info.name}`, info, -1, (problem) => {
      if (problem === '') resolve();
      else reject(new Error(`cannot listen: ${problem}`));
    });
  });
}

/** Pods come and go as the CNI plugin says. */
function followNode(ztunnel: ZtunnelProcess, lines: LogLines): void {
  const { readiness, settings } = ztunnel;
  const pods = new NodePods(withDns(ztunnel), machineTime, (count) => {
    if (count > 0) readiness.begin('pending proxies');
    else readiness.done('pending proxies');
  });
  const done = readiness.waitFor('workload manager');
  new CniConnection(settings.cniSocketPath, pods, machineTime, new LineLog(lines, 'inpod'), done).start();
}

/** Unless ISTIO_META_DNS_CAPTURE says no: what is not the mesh's is asked of the servers of our own resolv.conf. */
function withDns(ztunnel: ZtunnelProcess): PodProxies {
  const { mesh, settings } = ztunnel;
  if (!settings.hasDns) return ztunnel;
  const { servers } = parseResolvConf(readFileSync('/etc/resolv.conf', 'utf8'));
  const others = new UpstreamResolver(servers, false, dnsTimeoutMs, Math.random);
  const { network, clusterDomain, mark } = settings.proxy;
  const { hasIpv6 } = settings;
  return new DnsOfPods(ztunnel, { mesh, others, network, clusterDomain, mark, port: dnsPort, hasIpv6 });
}

async function openPages(ztunnel: ZtunnelProcess, settings: ZtunnelSettings, quit: () => void): Promise<void> {
  const { readiness, counts, threads } = ztunnel;
  const metrics: Page = async () => ({
    status: 200,
    type: 'text/plain; version=0.0.4',
    text: metricsPage(counts, await threads.reports()),
  });
  const dump: Page = async () => ({
    status: 200,
    type: 'application/json',
    text: JSON.stringify(configDump(await ztunnel.dump()), null, 2),
  });
  await HttpPages.listen('127.0.0.1', settings.adminPort, {
    '/': () => plainText('/config_dump\n/logging\n/quitquitquit\n'),
    '/config_dump': dump,
    '/logging': (url, method) => logging(ztunnel, url, method),
    '/quitquitquit': (_url, method) => {
      if (method !== 'POST') return plainText('Invalid HTTP method\n', 405);
      setImmediate(quit);
      return plainText('shutdown now\n');
    },
  });
  const { listenAddress } = settings.proxy;
  await HttpPages.listen(listenAddress, settings.statsPort, { '/metrics': metrics, '/stats/prometheus': metrics });
  await HttpPages.listen(listenAddress, settings.readinessPort, {
    '/healthz/ready': () => plainText(readiness.text, readiness.isReady ? 200 : 500),
  });
}

/** POST /logging?level=debug, or ?level=a::b=debug,info: the level that is for all. */
function logging(ztunnel: ZtunnelProcess, url: URL, method: string): ReturnType<typeof plainText> {
  if (method !== 'POST') return plainText('Invalid HTTP method\n', 405);
  const asked = url.searchParams.get('level');
  const level = asked === null ? null : parseZtunnelLevel(asked.split(',').find((part) => !part.includes('=')) ?? '');
  if (asked !== null && level === null) return plainText(`Invalid level provided: ${asked}\n`, 400);
  if (level !== null) ztunnel.setLevel(level);
  return plainText(`current log level is ${level === null ? 'unchanged' : levelNames[level]}\n`);
}
