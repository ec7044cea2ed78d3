/** One type of resource that control planes give: what is the same of it whatever carries it. */
export interface ResourceKind {
  readonly typeUrl: string;
  /** Methods of its own service: `/package.Service/Method`. */
  readonly streamMethod: string;
  readonly deltaMethod: string;
  /** Of the packed message, for those that came without a `Resource` around them. @throws Error: it is no such message */
  nameOf(packed: Uint8Array): string;
}

/** A resource of a response, with its name known and its message still packed. */
export interface OpenedResource {
  readonly name: string;
  readonly packed: Uint8Array;
}

/** Who takes resources of one kind from a source, and says which it refuses. */
export interface SubscriptionUser {
  /**
   * What the source now has of what was asked for.
   * @returns why it is refused, in words for the log and the control plane; empty: it is taken
   */
  onResources(resources: readonly OpenedResource[], version: string): string;
  /** Nothing came in time, or what came is refused: whoever waits goes on without. May come more than once. */
  onGivenUp(): void;
}

/** Resources from one source, for one user. */
export interface Subscription {
  start(): void;
  stop(): void;
}
