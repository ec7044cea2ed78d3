import { closeSync, fstatSync } from 'node:fs';
import type { Later } from '../../agent/identity/later.ts';
import type { WorkloadInfo } from '../state/mesh.ts';

/** What begins and ends proxies. */
export interface PodProxies {
  /** `tell`: once, with an empty problem when the proxy listens. Replaces one of the same uid. */
  addProxy(uid: string, info: WorkloadInfo, namespaceFd: number, tell: (problem: string) => void): void;
  removeProxy(uid: string): void;
}

/** After a proxy could not begin: how long until it is tried again. ztunnel's. */
const retryMs = 5000;

interface NodePod {
  readonly uid: string;
  readonly info: WorkloadInfo;
  readonly namespaceFd: number;
  /** Inode and device of its network namespace: two descriptors of the same are alike. */
  readonly namespace: string;
  /** It could not begin, and is tried again. */
  isPending: boolean;
  /** Threads may still have to look at the descriptor: its number must not become another's. */
  isBeginning: boolean;
  callOff: (() => void) | null;
}

/** The pods of the node that are in the mesh, as the CNI plugin last said. */
export class NodePods {
  private readonly proxies: PodProxies;
  private readonly later: Later;
  private readonly onPending: (count: number) => void;
  private readonly pods: Map<string, NodePod>;
  /** Named since the connection began; null: its snapshot has been sent. */
  private named: Set<string> | null;

  constructor(proxies: PodProxies, later: Later, onPending: (count: number) => void) {
    this.proxies = proxies;
    this.later = later;
    this.onPending = onPending;
    this.pods = new Map();
    this.named = null;
  }

  /** A connection to the plugin begins: it will name all that there are. */
  begin(): void {
    this.named = new Set();
  }

  /** Takes the descriptor. `ack`: why the proxy did not begin; empty: it did. */
  add(uid: string, info: WorkloadInfo, namespaceFd: number, ack: (error: string) => void): void {
    this.named?.add(uid);
    const namespace = namespaceOf(namespaceFd);
    const known = this.pods.get(uid);
    if (known?.namespace === namespace && !known.isPending) {
      closeSync(namespaceFd);
      ack('');
      return;
    }
    if (known !== undefined) this.forget(known);
    const pod: NodePod = { uid, info, namespaceFd, namespace, isPending: false, isBeginning: false, callOff: null };
    this.pods.set(uid, pod);
    this.begun(pod, ack);
  }

  keep(uid: string): void {
    this.named?.add(uid);
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid);
    if (pod === undefined) return;
    this.forget(pod);
    this.pods.delete(uid);
    this.proxies.removeProxy(uid);
    this.tellPending();
  }

  /** What was not named is not there any more. */
  snapshotSent(): void {
    const { named } = this;
    this.named = null;
    if (named === null) return;
    for (const uid of this.pods.keys()) if (!named.has(uid)) this.remove(uid);
  }

  get count(): number {
    return this.pods.size;
  }

  private begun(pod: NodePod, ack: ((error: string) => void) | null): void {
    pod.isBeginning = true;
    this.proxies.addProxy(pod.uid, pod.info, pod.namespaceFd, (problem) => {
      pod.isBeginning = false;
      if (this.pods.get(pod.uid) !== pod) {
        closeSync(pod.namespaceFd);
        ack?.('the workload has gone');
        return;
      }
      pod.isPending = problem !== '';
      if (pod.isPending)
        pod.callOff = this.later.after(retryMs, () => {
          pod.callOff = null;
          this.begun(pod, null);
        });
      ack?.(problem === '' ? '' : `failed to start proxy: ${problem}`);
      this.tellPending();
    });
  }

  private forget(pod: NodePod): void {
    pod.callOff?.();
    pod.callOff = null;
    if (!pod.isBeginning) closeSync(pod.namespaceFd);
  }

  private tellPending(): void {
    let count = 0;
    for (const { isPending } of this.pods.values()) if (isPending) count++;
    this.onPending(count);
  }
}

function namespaceOf(fd: number): string {
  const { ino, dev } = fstatSync(fd);
  return `${dev}:${ino}`;
}
