/** One type of resource that control planes give: what is the same of it whatever carries it. */
export interface ResourceKind {
  readonly typeUrl: string;
  /** Methods of its own service: `/package.Service/Method`; empty: it has no such service. */
  readonly streamMethod: string;
  readonly deltaMethod: string;
}

/** A resource of a response, with its name known and its message still packed. */
export interface OpenedResource {
  readonly name: string;
  readonly packed: Uint8Array;
  /** Its own in the incremental protocol, else the response's. */
  readonly version: string;
  /** Other names that it was asked for by: of virtual hosts, the domains. */
  readonly aliases: readonly string[];
}

/** Who takes resources of one kind from a source, and says which it refuses. Everything is answered at once. */
export interface SubscriptionUser {
  /**
   * State of the world: of what was asked for, all that the response has. For a user of names, what is not among it is as
   * it was; for one who asked for all, it is gone.
   * @returns why it is refused, in words for the log and the control plane; empty: it is taken
   */
  onResources(resources: readonly OpenedResource[], version: string): string;
  /**
   * What has come or changed, and what is gone, of what was asked for; also what has outlived its time to live, whichever
   * protocol brought it, with an empty version. Without this, what comes is given to `onResources`, and what goes is not
   * told.
   * @returns as `onResources`
   */
  onDelta?(set: readonly OpenedResource[], removed: readonly string[], version: string): string;
  /** Nothing came in time, or what came is refused: whoever waits goes on without. May come more than once. */
  onGivenUp(): void;
}

/** Resources from one source, for one user. */
export interface Subscription {
  start(): void;
  /** What the source has of it is not cared for any more. */
  stop(): void;
  /** Other names are wanted from now on. Those that stay are not asked for again. */
  setNames(names: readonly string[]): void;
}

/** In a list of names: all that there are. An empty list says so too, in the way of older servers. */
export const wildcard = '*';
