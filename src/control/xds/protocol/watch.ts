import { wildcard, type OpenedResource, type ResourceKind } from '../resource-kind.ts';

/** Who wants resources of one kind from a stream. */
export interface WatchUser {
  /** Those that were asked for, of all that the response has. @returns why they are refused; empty: taken */
  onResources(resources: readonly OpenedResource[], version: string): string;
  /** Of those that were asked for, what has changed and what is gone. @returns as `onResources` */
  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string;
  /** A response that may have been for this user cannot be read. */
  onRefused(refusal: string): void;
  onStreamFailed(): void;
}

/** What somebody wants of one kind. */
export class Watch {
  readonly kind: ResourceKind;
  readonly user: WatchUser;
  /** Whatever is named `<namespace>/…` is for this user, and `names` are only asked for; empty: what is named is. */
  readonly namespace: string;
  names: ReadonlySet<string>;

  constructor(kind: ResourceKind, names: readonly string[], user: WatchUser, namespace = '') {
    this.kind = kind;
    this.user = user;
    this.namespace = namespace;
    this.names = new Set(names);
  }

  /** What is asked for. All are asked for by no name, too; and what of a name space there is is not known before. */
  get asked(): readonly string[] {
    const { names } = this;
    if (names.size > 0 && (this.namespace === '' || names.has(wildcard))) return [...names];
    return [...names, wildcard];
  }

  get isWildcard(): boolean {
    return this.namespace === '' && (this.names.size === 0 || this.names.has(wildcard));
  }
}
