import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedLocally } from '../../core/failures.ts';
import { Relay, type RelayOwner } from '../../tunnel/relay.ts';
import type { AccessRequest } from '../policy/access.ts';
import type { ConnectionError, ConnectionFacts, ConnectionReport } from './connection-facts.ts';
import type { Connections, OpenConnection } from './connections.ts';
import { brokenError, lateDenialError } from './failure-text.ts';

/** A connection from client to server as a workload's proxy carries it: listed, judged anew and reported. */
export class TrackedRelay implements RelayOwner, OpenConnection {
  readonly facts: ConnectionFacts;
  readonly access: AccessRequest | null;
  private readonly connections: Connections;
  private readonly report: ConnectionReport;
  private readonly relay: Relay;
  private rejection: ConnectionError | null;

  constructor(
    client: Connection,
    server: Connection,
    facts: ConnectionFacts,
    access: AccessRequest | null,
    connections: Connections,
    report: ConnectionReport,
  ) {
    this.facts = facts;
    this.access = access;
    this.connections = connections;
    this.report = report;
    this.rejection = null;
    this.relay = new Relay(client, server, this);
    connections.add(this);
  }

  start(): void {
    // What was decided before the server was connected to may not hold any more.
    if (this.connections.denialOf(this) === null) this.relay.start();
    else this.reject();
  }

  // OpenConnection

  reject(): void {
    this.rejection = lateDenialError;
    this.relay.close(ClosedLocally);
  }

  // RelayOwner

  onRelayEnded(relay: Relay, failure: Failure | null): void {
    this.connections.delete(this);
    const error = this.rejection ?? (failure === null || isUsual(failure) ? null : brokenError(failure));
    this.report.close(error, relay.backwardBytes, relay.forwardBytes);
  }
}

/** Ends that connections have: ztunnel calls them complete as well. */
function isUsual({ detail }: Failure): boolean {
  return detail === '' || /reset|Broken pipe/.test(detail);
}
