import type { Connection } from '../../core/connection.ts';
import { keepIn } from '../../core/joined-bytes.ts';

/** What a client says before there is an upstream to say it to. */
export class EarlyBytes {
  private readonly max: number;
  private readonly source: Connection;
  private chunks: Uint8Array[];
  private size: number;
  private isSourcePaused: boolean;

  /** @param max bytes after which the source waits; 0: after its first */
  constructor(max: number, source: Connection) {
    this.max = max;
    this.source = source;
    this.chunks = [];
    this.size = 0;
    this.isSourcePaused = false;
  }

  get isEmpty(): boolean {
    return this.size === 0;
  }

  keep(chunk: Uint8Array): void {
    keepIn(this.chunks, chunk);
    this.size += chunk.length;
    if (this.size < this.max || this.isSourcePaused) return;
    this.isSourcePaused = true;
    this.source.pause();
  }

  /** All of it; the source may go on. */
  take(): readonly Uint8Array[] {
    const { chunks } = this;
    this.chunks = [];
    this.size = 0;
    if (this.isSourcePaused) {
      this.isSourcePaused = false;
      this.source.resume();
    }
    return chunks;
  }
}
