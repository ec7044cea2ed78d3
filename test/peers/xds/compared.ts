import { expect, onTestFinished } from 'vitest';
import { envoy, sekisho, type ProxyKind } from '../proxy.ts';
import { controlPlaneUnavailable, type GoControlPlane, type Resources } from './control-plane.ts';
import { Conversation } from './conversation.ts';
import { ResourceMaker, type Protocol, type Sharing } from './resources.ts';

/** Why nothing can be compared here; null: it can. */
export const reason = controlPlaneUnavailable() ?? envoy.unavailable() ?? sekisho.unavailable();

/** What is compared. */
export interface Outcome {
  readonly said: Conversation['said'];
  readonly order: Conversation['order'];
  readonly stats: Readonly<Record<string, number>>;
  /** What the story has seen itself. */
  readonly seen: unknown;
}

/** One story, told to each proxy. */
export type Story = (conversation: Conversation, make: ResourceMaker) => Promise<unknown>;

export interface Setting {
  readonly protocol: Protocol;
  readonly sharing: Sharing;
  /** Of version 1; the usual world is `make.world`. */
  readonly begin?: (make: ResourceMaker, port: number) => Resources;
  readonly ttls?: Readonly<Record<string, number>>;
  readonly patience?: string;
  readonly hasRuntime?: boolean;
  /** Clusters come when they are asked for by name, and not by CDS. */
  readonly onlyOnDemand?: boolean;
  /** Stats that are compared besides. */
  readonly stats?: readonly string[];
}

export async function hear(kind: ProxyKind, setting: Setting, story: Story): Promise<Outcome> {
  const { protocol, sharing, begin, ttls, patience, hasRuntime = false, onlyOnDemand = false } = setting;
  const { stats: others = [] } = setting;
  const make = new ResourceMaker(protocol, sharing, patience);
  const prepare = (plane: GoControlPlane, port: number): Promise<void> =>
    plane.set('1', begin?.(make, port) ?? make.world(port), ttls);
  const conversation = await Conversation.start(kind, protocol, sharing, hasRuntime, prepare, !onlyOnDemand);
  onTestFinished(() => conversation.stop());
  const seen = await story(conversation, make);
  const stats = await conversation.proxy.stats();
  const { said, order } = conversation;
  const values = [...counted, ...others].map((name): [string, number] => [name, stats.get(name) ?? 0]);
  return { said, order, stats: Object.fromEntries(values), seen };
}

const counted = [
  'control_plane.connected_state',
  'control_plane.rate_limit_enforced',
  'cluster_manager.cds.update_success',
  'cluster_manager.active_clusters',
  'cluster_manager.warming_clusters',
  'listener_manager.lds.update_success',
  'listener_manager.total_listeners_active',
  'http.peer.rds.r.update_success',
];

/** What of an outcome chance decides, or each proxy for itself. */
export interface Ignored {
  readonly stats?: RegExp;
  /** What is said, and in which order. */
  readonly said?: true;
}

export async function compared(setting: Setting, story: Story, ignored: Ignored = {}): Promise<void> {
  const theirs = await hear(envoy, setting, story);
  const ours = await hear(sekisho, setting, story);
  expect(without(ours, ignored)).toEqual(without(theirs, ignored));
}

function without(outcome: Outcome, ignored: Ignored): Outcome {
  const stats = Object.entries(outcome.stats).filter(([name]) => ignored.stats?.test(name) !== true);
  return { ...outcome, stats: Object.fromEntries(stats), ...(ignored.said && { said: {}, order: [] }) };
}
