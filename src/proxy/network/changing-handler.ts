import type { Connection, ConnectionOwner } from '../../core/connection.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';
import type { ConnectionNotes } from '../../observe/connection-notes.ts';

const nobody: ActiveConnection = { isIdle: true };

/** One of the handlers that there were, for as long as it has connections. */
class Generation {
  readonly handler: ConnectionHandler;
  connections: number;
  /** Another has taken its place. */
  isOld: boolean;

  constructor(handler: ConnectionHandler) {
    this.handler = handler;
    this.connections = 0;
    this.isOld = false;
  }
}

/** Tells who owns a connection that it has closed, and the generation that it has left. */
class Departure implements ConnectionOwner {
  private readonly owner: ConnectionOwner | null;
  private readonly onLeft: () => void;

  constructor(owner: ConnectionOwner | null, onLeft: () => void) {
    this.owner = owner;
    this.onLeft = onLeft;
  }

  onConnectionClosed(connection: Connection): void {
    this.owner?.onConnectionClosed(connection);
    this.onLeft();
  }
}

/** A terminal filter that may become another: connections stay with the one that they began with. */
export class ChangingHandler implements ConnectionHandler {
  private current: Generation | null;
  private readonly generations: Set<Generation>;

  constructor() {
    this.current = null;
    this.generations = new Set();
  }

  get isMissing(): boolean {
    return this.current === null;
  }

  /** Null: there is none from here on. */
  replace(handler: ConnectionHandler | null): void {
    const before = this.current;
    this.current = handler === null ? null : new Generation(handler);
    if (this.current !== null) this.generations.add(this.current);
    if (before === null) return;
    before.isOld = true;
    this.leave(before);
  }

  handle(connection: Connection, filterChainName: string, notes?: ConnectionNotes | null): ActiveConnection {
    const generation = this.current;
    if (generation === null) {
      connection.destroy(DownstreamLocalClose);
      return nobody;
    }
    generation.connections++;
    connection.owner = new Departure(connection.owner, () => {
      generation.connections--;
      this.leave(generation);
    });
    return generation.handler.handle(connection, filterChainName, notes);
  }

  refused(connection: Connection, filterChainName: string, notes: ConnectionNotes): void {
    this.current?.handler.refused?.(connection, filterChainName, notes);
  }

  drain(atOnce: boolean): void {
    for (const { handler } of this.generations) handler.drain(atOnce);
  }

  end(): void {
    for (const { handler } of this.generations) handler.end();
  }

  closeAll(): void {
    for (const { handler } of this.generations) handler.closeAll();
  }

  overloadChanged(): void {
    for (const { handler } of this.generations) handler.overloadChanged?.();
  }

  release(): void {
    for (const { handler } of this.generations) handler.release?.();
    this.generations.clear();
  }

  private leave(generation: Generation): void {
    if (!generation.isOld || generation.connections > 0 || !this.generations.delete(generation)) return;
    generation.handler.release?.();
  }
}
