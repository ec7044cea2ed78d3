import type { Log } from '../../observe/log/log.ts';
import type { Node } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { ControlPlaneStats } from './control-plane-stats.ts';
import type { OpenedResource } from './resource-kind.ts';

/** What is said on a stream: state of the world or delta, one kind of resource or many. */
export interface XdsProtocol<Response> {
  /** A stream begins: ask for everything anew. */
  onOpened(): void;
  onResponse(response: Response): void;
  /** It ended, or could not be opened; another is on its way. */
  onFailed(): void;
}

/** Who wants resources of one kind from a stream. */
export interface WatchUser {
  /** Those that were asked for, of all that the response has. @returns why they are refused; empty: taken */
  onResources(resources: readonly OpenedResource[], version: string): string;
  /** What should have been an answer is none. */
  onRefused(): void;
  onStreamFailed(): void;
}

/** What both protocols need of the one whose conversation it is. */
export interface ConversationOptions {
  readonly node: Node;
  readonly nodeOnFirstMessageOnly: boolean;
  readonly stats: ControlPlaneStats;
  readonly log: Log;
}

/** Characters of a refusal that the control plane is told. */
export const refusalMax = 4096;
