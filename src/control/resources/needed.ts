/** Something that comes from a control plane. */
export interface NeededResource {
  /** What needs it need not wait for it any longer: it has come, or has been waited for long enough. */
  readonly isReady: boolean;
  start(): void;
  stop(): void;
}

interface Entry<Resource> {
  readonly resource: Resource;
  users: number;
  isStarted: boolean;
}

/** Resources by key, each for as long as somebody needs it. */
export class NeededResources<Source extends { readonly key: string }, Resource extends NeededResource> {
  private readonly entries: Map<string, Entry<Resource>>;
  private readonly make: (source: Source) => Resource;
  private readonly onForgotten: (key: string) => void;

  constructor(make: (source: Source) => Resource, onForgotten: (key: string) => void) {
    this.entries = new Map();
    this.make = make;
    this.onForgotten = onForgotten;
  }

  /** One more needs each of these. Nothing is asked for before `start`. */
  need(sources: readonly Source[]): void {
    for (const source of sources) {
      const entry = this.entries.get(source.key);
      if (entry === undefined)
        this.entries.set(source.key, { resource: this.make(source), users: 1, isStarted: false });
      else entry.users++;
    }
  }

  /** One fewer does. */
  drop(sources: readonly Source[]): void {
    for (const { key } of sources) {
      const entry = this.entries.get(key);
      if (entry === undefined || --entry.users > 0) continue;
      this.entries.delete(key);
      entry.resource.stop();
      this.onForgotten(key);
    }
  }

  /** Asks for those that were not asked for yet. */
  start(sources: readonly Source[]): void {
    for (const { key } of sources) {
      const entry = this.entries.get(key);
      if (entry === undefined || entry.isStarted) continue;
      entry.isStarted = true;
      entry.resource.start();
    }
  }

  get(key: string): Resource | null {
    return this.entries.get(key)?.resource ?? null;
  }

  areReady(sources: readonly Source[]): boolean {
    return sources.every(({ key }) => this.entries.get(key)?.resource.isReady ?? true);
  }

  *[Symbol.iterator](): Iterator<Resource> {
    for (const { resource } of this.entries.values()) yield resource;
  }

  stop(): void {
    for (const { resource } of this.entries.values()) resource.stop();
  }
}
