import { readFileSync } from 'node:fs';
import { machineTime } from '../../agent/identity/later.ts';
import type { RevokedCertificates } from '../../identity/revocation-list.ts';
import type { CertificateAuthority, Certified } from '../certificates/authority.ts';
import { CertificateCache, type CertificateListener } from '../certificates/certificate-cache.ts';
import type { ZtunnelSettings } from '../settings.ts';
import { Mesh, noChange, type MeshChange, type WorkloadInfo } from '../state/mesh.ts';
import { readLocalConfig } from '../state/local/local-config.ts';
import { identityOf, type Workload } from '../state/workload.ts';
import { ZtunnelLevel, type LogLines } from '../telemetry/log-lines.ts';
import { ProxyThreads, type ThreadsListener } from '../thread/proxy-threads.ts';
import type { AddressSource, LookupOutcome } from '../proxy/address-source.ts';
import { ConnectionCount } from '../proxy/connection-quota.ts';
import type { FromThread, IdentityMessage, ThreadData } from '../thread/thread-messages.ts';
import type { DumpedProxy, DumpSource } from './config-dump.ts';
import { ProcessCounts } from './metrics-page.ts';
import { Readiness } from './readiness.ts';

/** What the process is made with. */
export interface ZtunnelEnvironment {
  readonly settings: ZtunnelSettings;
  readonly lines: LogLines;
  readonly authority: CertificateAuthority;
  readonly workerEntry: URL;
  readonly version: string;
  exit(status: number): void;
}

/** A proxy that the threads have, or are to have. */
interface OwnProxy {
  /** Tells it from another of the same workload. */
  readonly id: number;
  readonly uid: string;
  readonly info: WorkloadInfo;
  readonly namespaceFd: number;
  readonly connections: SharedArrayBuffer;
  /** Threads that have not answered yet. */
  waiting: number;
  problem: string;
  isUp: boolean;
  readonly whenAdded: (problem: string) => void;
}

/** How much of the mesh a message to a thread that begins has. */
const seedSize = 5000;

/** The control half of `sekisho ztunnel`: what is known, who has certificates, and what the threads are told. */
export class ZtunnelProcess implements ThreadsListener, CertificateListener {
  readonly settings: ZtunnelSettings;
  readonly mesh: Mesh;
  readonly counts: ProcessCounts;
  readonly readiness: Readiness;
  readonly certificates: CertificateCache;
  readonly threads: ProxyThreads;
  /** XDS_ON_DEMAND: who is asked for what the threads do not know; null: nobody. */
  addresses: AddressSource | null;
  private readonly environment: ZtunnelEnvironment;
  private readonly known: Map<string, IdentityMessage>;
  private revoked: RevokedCertificates | null;
  private readonly connections: SharedArrayBuffer;
  private readonly proxies: Map<string, OwnProxy>;
  /** Of which not every thread has said whether it listens, by number. */
  private readonly beginning: Map<number, OwnProxy>;
  private nextProxyId: number;
  private staticConfig: MeshChange;
  private drained: number;
  private whenDrained: (() => void) | null;

  constructor(environment: ZtunnelEnvironment) {
    const { settings, authority } = environment;
    this.environment = environment;
    this.settings = settings;
    this.mesh = new Mesh(settings.preferredNamespace);
    this.counts = new ProcessCounts();
    this.readiness = new Readiness();
    this.certificates = new CertificateCache(authority, this, machineTime);
    this.addresses = null;
    this.known = new Map();
    this.revoked = null;
    this.proxies = new Map();
    this.beginning = new Map();
    this.nextProxyId = 1;
    this.staticConfig = noChange;
    this.drained = 0;
    this.whenDrained = null;
    this.threads = new ProxyThreads(settings.threads, environment.workerEntry, this);
    this.connections = ConnectionCount.memory(settings.threads);
    for (let i = 0; i < settings.threads; i++) this.threads.post(i, { kind: 'init', data: this.threadData(i) });
  }

  /** LOCAL_XDS. Throws LocalConfigError, or what reading the file throws. */
  loadLocal(): void {
    const { localConfig, localConfigPath } = this.settings;
    const text = localConfigPath === '' ? localConfig : readFileSync(localConfigPath, 'utf8');
    if (text === '') return;
    this.staticConfig = readLocalConfig(text);
    this.apply(this.staticConfig);
  }

  /** Something of the mesh has changed: every thread is told. */
  apply(change: MeshChange): void {
    const gone = change.removedAddresses.map((name) => this.mesh.workload(name)).filter((one) => one !== null);
    this.mesh.apply(change);
    this.threads.postAll({ kind: 'change', change });
    this.warmCertificates(change.workloads, gone);
  }

  /** A workload's proxy begins; `tell`: once, with an empty problem when every thread listens. */
  addProxy(uid: string, info: WorkloadInfo, namespaceFd: number, tell: (problem: string) => void): void {
    const { count } = this.threads;
    const known = this.proxies.get(uid);
    if (known === undefined) this.counts.pendingProxies++;
    else if (known.isUp) {
      this.counts.activeProxies--;
      this.counts.pendingProxies++;
    }
    const id = this.nextProxyId++;
    const connections = ConnectionCount.memory(count);
    const proxy = {
      id,
      uid,
      info,
      namespaceFd,
      connections,
      waiting: count,
      problem: '',
      isUp: false,
      whenAdded: tell,
    };
    this.proxies.set(uid, proxy);
    this.beginning.set(id, proxy);
    this.threads.postAll({ kind: 'add', id, uid, info, connections, namespaceFd });
  }

  removeProxy(uid: string): void {
    const proxy = this.proxies.get(uid);
    if (proxy === undefined) return;
    this.proxies.delete(uid);
    if (proxy.isUp) this.counts.activeProxies--;
    else this.counts.pendingProxies--;
    this.counts.stoppedProxies++;
    this.threads.postAll({ kind: 'remove', uid });
  }

  /** Nobody who has one of these gets in or is connected to any more, and whoever is there goes. */
  revoke(revoked: RevokedCertificates): void {
    this.revoked = revoked;
    this.threads.postAll({ kind: 'revoked', revoked });
  }

  setLevel(level: ZtunnelLevel): void {
    this.environment.lines.level = level;
    this.threads.postAll({ kind: 'level', level });
  }

  /** New connections are taken no more; resolves when the open ones have ended, or `drainMs` later. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.settings.proxy.drainMs);
      this.whenDrained = () => {
        clearTimeout(timer);
        resolve();
      };
      this.threads.postAll({ kind: 'drain' });
    });
  }

  stop(): void {
    this.certificates.close();
    this.threads.stop();
  }

  async dump(): Promise<DumpSource> {
    const reports = await this.threads.reports();
    const proxies = [...this.proxies.values()].map(({ uid, info, isUp }): DumpedProxy => ({
      uid,
      info,
      state: isUp ? 'Up' : 'Pending',
    }));
    return {
      mesh: this.mesh,
      settings: this.settings,
      certificates: this.certificates,
      proxies,
      connections: reports.flatMap(({ connections }) => connections),
      staticConfig: this.staticConfig,
      version: this.environment.version,
    };
  }

  // ThreadsListener

  onThreadMessage(index: number, message: FromThread): void {
    switch (message.kind) {
      case 'certificate-wanted':
        this.certificates.want(message.identity);
        break;
      case 'address-wanted':
        this.lookUp(index, message.key);
        break;
      case 'added':
        this.added(message.id, message.problem);
        break;
      case 'drained':
        if (++this.drained === this.threads.count) this.whenDrained?.();
        break;
      default:
    }
  }

  onThreadRestart(index: number, reason: string): void {
    this.environment.lines.write(ZtunnelLevel.Error, 'threads', `a thread died and another takes its place: ${reason}`);
    for (const memory of [this.connections, ...[...this.proxies.values()].map(({ connections }) => connections)])
      new ConnectionCount(memory, index).forget();
    this.threads.post(index, { kind: 'init', data: this.threadData(index) });
    this.seed(index);
  }

  onThreadsLost(reason: string): void {
    this.environment.lines.write(ZtunnelLevel.Error, 'threads', `threads die one after another: ${reason}`);
    this.environment.lines.flush();
    this.environment.exit(1);
  }

  // CertificateListener

  onCertificate(identity: string, { chain, key, roots }: Certified): void {
    const trustDomain = identity.slice('spiffe://'.length).split('/', 1)[0];
    const message: IdentityMessage = { kind: 'certificate', identity, trustDomain, chain, key, roots };
    this.known.set(identity, message);
    this.threads.postAll(message);
  }

  onNoCertificate(identity: string, problem: string): void {
    this.environment.lines.write(ZtunnelLevel.Warn, 'identity', `no certificate for ${identity}: ${problem}`);
    this.threads.postAll({ kind: 'no-certificate', identity, problem });
  }

  private lookUp(index: number, key: string): void {
    const answer = (outcome: LookupOutcome): void =>
      this.threads.post(index, { kind: 'address-answered', key, outcome });
    if (this.addresses === null) answer('unknown');
    else this.addresses.request(key, answer);
  }

  private added(id: number, problem: string): void {
    const proxy = this.beginning.get(id);
    if (proxy === undefined) return;
    proxy.waiting--;
    proxy.problem ||= problem;
    if (proxy.waiting > 0) return;
    this.beginning.delete(id);
    if (proxy.problem === '' && this.proxies.get(proxy.uid) === proxy) {
      proxy.isUp = true;
      this.counts.pendingProxies--;
      this.counts.activeProxies++;
      this.counts.startedProxies++;
    }
    proxy.whenAdded(proxy.problem);
  }

  /** Those of the node have theirs before they are asked for, and nobody else has. */
  private warmCertificates(come: readonly Workload[], gone: readonly Workload[]): void {
    const { node } = this.settings.proxy;
    if (node === '') return;
    for (const workload of come)
      if (workload.node === node && (workload.protocol === 'HBONE' || workload.nativeTunnel))
        this.certificates.warm(identityOf(workload));
    for (const workload of gone) {
      const identity = identityOf(workload);
      if (workload.node !== node || this.mesh.isIdentityOn(identity, node)) continue;
      this.certificates.forget(identity);
      this.known.delete(identity);
    }
  }

  private threadData(thread: number): ThreadData {
    const { proxy, preferredNamespace, isJsonLog, ioBackend } = this.settings;
    const { level } = this.environment.lines;
    const { connections } = this;
    return { thread, connections, settings: proxy, preferredNamespace, isJsonLog, level, ioBackend };
  }

  /** Everything that the other threads know. */
  private seed(index: number): void {
    const { threads, mesh } = this;
    const services = [...mesh.services.all];
    const policies = [...mesh.allPolicies];
    threads.post(index, { kind: 'change', change: { ...noChange, services, policies } });
    const workloads = [...mesh.allWorkloads];
    for (let at = 0; at < workloads.length; at += seedSize)
      threads.post(index, { kind: 'change', change: { ...noChange, workloads: workloads.slice(at, at + seedSize) } });
    if (this.revoked !== null) threads.post(index, { kind: 'revoked', revoked: this.revoked });
    for (const message of this.known.values()) threads.post(index, message);
    for (const { id, uid, info, connections, namespaceFd } of this.proxies.values())
      threads.post(index, { kind: 'add', id, uid, info, connections, namespaceFd });
  }
}
