import type { RevokedCertificates } from '../../identity/revocation-list.ts';
import type { LookupOutcome } from '../proxy/address-source.ts';
import type { ProxySettings } from '../proxy/settings.ts';
import type { MeshChange, WorkloadInfo } from '../state/mesh.ts';
import type { TrafficCounts } from '../telemetry/traffic-metrics.ts';
import type { ZtunnelLevel } from '../telemetry/log-lines.ts';

/** What a thread is made with. */
export interface ThreadData {
  /** Which of them it is, from 0. */
  readonly thread: number;
  /** How many connections all threads have: ConnectionCount's. */
  readonly connections: SharedArrayBuffer;
  readonly settings: ProxySettings;
  readonly preferredNamespace: string;
  readonly isJsonLog: boolean;
  readonly level: ZtunnelLevel;
  readonly ioBackend: 'auto' | 'io_uring' | 'node';
}

export interface IdentityMessage {
  readonly kind: 'certificate';
  readonly identity: string;
  readonly trustDomain: string;
  /** PEM. */
  readonly chain: string;
  readonly key: string;
  readonly roots: string;
}

/** A workload's proxy is to begin. */
export interface AddMessage {
  readonly kind: 'add';
  /** Tells it from another of the same workload. */
  readonly id: number;
  readonly uid: string;
  readonly info: WorkloadInfo;
  /** How many of it all threads have: ConnectionCount's. */
  readonly connections: SharedArrayBuffer;
  /** Of the pod's network namespace, open until every thread has answered; -1: our own. */
  readonly namespaceFd: number;
}

export type ToThread =
  | { readonly kind: 'init'; readonly data: ThreadData }
  | { readonly kind: 'change'; readonly change: MeshChange }
  | AddMessage
  | { readonly kind: 'remove'; readonly uid: string }
  | IdentityMessage
  | { readonly kind: 'address-answered'; readonly key: string; readonly outcome: LookupOutcome }
  | { readonly kind: 'no-certificate'; readonly identity: string; readonly problem: string }
  /** From now on; whoever has one of them is cut off. */
  | { readonly kind: 'revoked'; readonly revoked: RevokedCertificates }
  | { readonly kind: 'level'; readonly level: ZtunnelLevel }
  | { readonly kind: 'tell'; readonly id: number }
  | { readonly kind: 'drain' }
  | { readonly kind: 'stop' };

/** An open connection, as config_dump lists it. */
export interface ListedConnection {
  readonly uid: string;
  readonly direction: 'inbound' | 'outbound';
  readonly src: string;
  readonly originalDst: string | null;
  readonly actualDst: string;
  readonly protocol: 'HBONE' | 'TCP';
}

/** What a thread knows that others ask for. */
export interface ThreadReport {
  readonly series: readonly (readonly [string, TrafficCounts])[];
  readonly openSource: number;
  readonly openDestination: number;
  readonly connections: readonly ListedConnection[];
}

export type FromThread =
  /** `problem`: why it does not listen; empty: it does. */
  | { readonly kind: 'added'; readonly id: number; readonly problem: string }
  | { readonly kind: 'removed'; readonly uid: string }
  | { readonly kind: 'certificate-wanted'; readonly identity: string }
  /** Once for however many wait for it. */
  | { readonly kind: 'address-wanted'; readonly key: string }
  | { readonly kind: 'told'; readonly id: number; readonly report: ThreadReport }
  /** Nothing is open any more. */
  | { readonly kind: 'drained' };
