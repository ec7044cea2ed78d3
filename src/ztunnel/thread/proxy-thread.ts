import { closeSync, openSync } from 'node:fs';
import { formatAddress } from '../../core/peer.ts';
import { SecretStore } from '../../identity/secret-store.ts';
import type { Loop } from '../../net/loop.ts';
import type { Network, SocketPlace } from '../../net/network.ts';
import { openNetwork } from '../../net/open-network.ts';
import { PlacedNetwork } from '../../net/placed-network.ts';
import { ConnectionCount } from '../proxy/connection-quota.ts';
import type { OpenConnection } from '../proxy/connections.ts';
import { Exclusions } from '../proxy/exclusions.ts';
import { PodProxy } from '../proxy/pod-proxy.ts';
import type { ProxyThread } from '../proxy/pod.ts';
import { Mesh } from '../state/mesh.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import { ZtunnelLevel } from '../telemetry/log-lines.ts';
import { OwnLog } from '../telemetry/own-log.ts';
import { TrafficMetrics } from '../telemetry/traffic-metrics.ts';
import { TrafficReporter } from '../telemetry/traffic-reporter.ts';
import { ThreadCertificates } from './thread-certificates.ts';
import { ThreadLookups } from './thread-lookups.ts';
import type {
  AddMessage,
  FromThread,
  ListedConnection,
  ThreadData,
  ThreadReport,
  ToThread,
} from './thread-messages.ts';

/** How often it is looked whether everything is closed while it drains. */
const drainCheckMs = 50;

interface OwnProxy {
  readonly proxy: PodProxy;
  readonly placed: PlacedNetwork | null;
  /** -1: our own namespace. */
  readonly namespaceFd: number;
}

/** One thread that carries traffic: proxies of every workload, each listening here as in the other threads. */
export class TrafficProxies {
  private readonly number: number;
  private readonly post: (message: FromThread) => void;
  private readonly loop: Loop;
  private readonly network: Network;
  private readonly mesh: Mesh;
  private readonly lines: OwnLog;
  private readonly metrics: TrafficMetrics;
  private readonly certificates: ThreadCertificates;
  private readonly lookups: ThreadLookups;
  private readonly thread: ProxyThread;
  private readonly proxies: Map<string, OwnProxy>;

  constructor(data: ThreadData, post: (message: FromThread) => void) {
    const { settings } = data;
    const { network, loop } = openNetwork(data.ioBackend, null);
    const secrets = new SecretStore();
    this.post = post;
    this.number = data.thread;
    this.loop = loop;
    this.network = network;
    this.mesh = new Mesh(data.preferredNamespace);
    this.lines = new OwnLog(data.isJsonLog);
    this.lines.level = data.level;
    this.metrics = new TrafficMetrics();
    this.certificates = new ThreadCertificates(secrets, (identity) => post({ kind: 'certificate-wanted', identity }));
    this.lookups = new ThreadLookups((key) => post({ kind: 'address-wanted', key }));
    this.proxies = new Map();
    this.thread = {
      turns: loop,
      secrets,
      log: {
        debug: (message) => this.lines.write(ZtunnelLevel.Debug, 'proxy', message),
        warn: (message) => this.lines.write(ZtunnelLevel.Warn, 'proxy', message),
      },
      mesh: this.mesh,
      settings,
      certificates: this.certificates,
      addresses: settings.isOnDemand ? this.lookups : null,
      connections: new ConnectionCount(data.connections, data.thread),
      exclusions: new Exclusions(settings.exclusions),
      reporter: new TrafficReporter(this.metrics, new AccessLog(this.lines), loop.clock),
    };
  }

  handle(message: ToThread): void {
    this.loop.enter();
    this.act(message);
    this.loop.leave();
  }

  private act(message: ToThread): void {
    switch (message.kind) {
      case 'change':
        this.mesh.apply(message.change);
        break;
      case 'add':
        void this.add(message);
        break;
      case 'remove':
        this.remove(message.uid);
        this.post({ kind: 'removed', uid: message.uid });
        break;
      case 'certificate':
        this.certificates.set(message);
        break;
      case 'address-answered':
        this.lookups.answered(message.key, message.outcome);
        break;
      case 'no-certificate':
        this.certificates.failed(message.identity, message.problem);
        break;
      case 'revoked':
        this.certificates.revoke(message.revoked);
        for (const { proxy } of this.proxies.values()) proxy.cutOff(message.revoked);
        break;
      case 'level':
        this.lines.level = message.level;
        break;
      case 'tell':
        this.post({ kind: 'told', id: message.id, report: this.report() });
        break;
      case 'drain':
        this.drain();
        break;
      case 'stop':
        for (const uid of this.proxies.keys()) this.remove(uid);
        this.lines.finish();
        break;
      case 'init':
    }
  }

  private async add({ id, uid, info, connections, namespaceFd }: AddMessage): Promise<void> {
    this.remove(uid);
    let problem = '';
    try {
      const place = this.placeOf(namespaceFd);
      const placed = place === null ? null : new PlacedNetwork(this.network, place);
      const count = new ConnectionCount(connections, this.number);
      const proxy = new PodProxy(info, this.thread, placed ?? this.network, count);
      const own = { proxy, placed, namespaceFd: place?.namespaceFd ?? -1 };
      this.proxies.set(uid, own);
      try {
        await own.proxy.listen();
      } catch (error) {
        problem = (error as Error).message;
        if (this.proxies.get(uid) === own) this.remove(uid);
      }
    } catch (error) {
      problem = (error as Error).message;
    }
    this.post({ kind: 'added', id, problem });
  }

  /** With a descriptor of our own: nobody else closes it, so that its number never means another namespace to us. */
  private placeOf(namespaceFd: number): SocketPlace | null {
    const { mark } = this.thread.settings;
    if (namespaceFd >= 0) return { namespaceFd: openSync(`/proc/self/fd/${namespaceFd}`, 'r'), mark };
    return mark === 0 ? null : { namespaceFd, mark };
  }

  private remove(uid: string): void {
    const own = this.proxies.get(uid);
    if (own === undefined) return;
    this.proxies.delete(uid);
    own.proxy.close();
    // What of it still waits for something must not find another namespace under the number.
    own.placed?.close();
    if (own.namespaceFd >= 0) closeSync(own.namespaceFd);
  }

  private drain(): void {
    for (const { proxy } of this.proxies.values()) proxy.drain();
    const check = setInterval(() => {
      for (const { proxy } of this.proxies.values()) if (proxy.connections.size > 0) return;
      clearInterval(check);
      this.lines.finish();
      this.post({ kind: 'drained' });
    }, drainCheckMs);
  }

  private report(): ThreadReport {
    const connections: ListedConnection[] = [];
    for (const [uid, { proxy }] of this.proxies)
      for (const connection of proxy.connections.all) connections.push(listed(uid, connection));
    const { series, openSource, openDestination } = this.metrics;
    return { series: [...series], openSource, openDestination, connections };
  }
}

function listed(uid: string, { facts }: OpenConnection): ListedConnection {
  const isTunnelled = facts.hboneAddress !== '';
  return {
    uid,
    direction: facts.direction,
    src: formatAddress(facts.sourceAddress),
    originalDst: facts.originalDestination === null ? null : formatAddress(facts.originalDestination),
    actualDst:
      isTunnelled && facts.direction === 'inbound' ? facts.hboneAddress : formatAddress(facts.destinationAddress),
    protocol: isTunnelled ? 'HBONE' : 'TCP',
  };
}
