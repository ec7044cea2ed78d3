import type { Connection } from '../../core/connection.ts';
import type { NetworkFilterFactory } from '../../filter/network/network-filter.ts';
import type { ActiveConnection, ConnectionHandler } from '../../listener/network-filter.ts';
import { FilteredConnection } from './filtered-connection.ts';

/** A filter chain whose terminal filter has others in front. */
export class FilteredHandler implements ConnectionHandler {
  readonly terminal: ConnectionHandler;
  /** Of connections that begin from here on. */
  filters: readonly NetworkFilterFactory[];
  /** Connections that the terminal filter has not seen yet. */
  private readonly waiting: Set<FilteredConnection>;

  constructor(filters: readonly NetworkFilterFactory[], terminal: ConnectionHandler) {
    this.filters = filters;
    this.terminal = terminal;
    this.waiting = new Set();
  }

  handle(connection: Connection, filterChainName: string): ActiveConnection {
    const filters = this.filters.map((factory) => factory.create());
    const filtered = new FilteredConnection(this, filters, connection, filterChainName);
    this.waiting.add(filtered);
    filtered.open();
    return filtered;
  }

  drain(atOnce: boolean): void {
    this.terminal.drain(atOnce);
  }

  end(): void {
    for (const connection of this.waiting) connection.close('');
    this.terminal.end();
  }

  closeAll(): void {
    for (const connection of this.waiting) connection.close('drain_time_is_over');
    this.terminal.closeAll();
  }

  overloadChanged(): void {
    this.terminal.overloadChanged?.();
  }

  release(): void {
    this.terminal.release?.();
  }

  /** The terminal filter has it, or it has gone. */
  left(connection: FilteredConnection): void {
    this.waiting.delete(connection);
  }
}
