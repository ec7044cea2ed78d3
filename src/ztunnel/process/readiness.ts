/** What has to happen before the process is ready: ztunnel's tasks. */
export class Readiness {
  private readonly pending: Set<string>;

  constructor() {
    this.pending = new Set();
  }

  /** @returns says that it has happened */
  waitFor(task: string): () => void {
    this.pending.add(task);
    return () => void this.pending.delete(task);
  }

  begin(task: string): void {
    this.pending.add(task);
  }

  done(task: string): void {
    this.pending.delete(task);
  }

  get isReady(): boolean {
    return this.pending.size === 0;
  }

  /** As the probe is told. */
  get text(): string {
    return this.isReady ? 'ready\n' : `not ready, pending: ${[...this.pending].toSorted().join(', ')}\n`;
  }
}
