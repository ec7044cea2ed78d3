import type { AcceptedConnection, Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedLocally } from '../../core/failures.ts';
import type { Address } from '../../core/peer.ts';
import type { AcceptHandler, DialHandler } from '../../net/network.ts';
import { judge, type AccessRequest } from '../policy/access.ts';
import type { Workload } from '../state/workload.ts';
import type { ConnectionError, ConnectionFacts, ConnectionReport } from './connection-facts.ts';
import type { Connections } from './connections.ts';
import { denialError, dialError } from './failure-text.ts';
import { guessedService } from './inbound-target.ts';
import type { Pod } from './pod.ts';
import { TrackedRelay } from './tracked-relay.ts';

/** Connections to a workload of clients outside the mesh, which prove nothing of themselves. */
export class Plaintext implements AcceptHandler {
  readonly pod: Pod;
  readonly connections: Connections;

  constructor(pod: Pod, connections: Connections) {
    this.pod = pod;
    this.connections = connections;
  }

  onAccepted(connection: AcceptedConnection): void {
    connection.pause();
    new PlaintextConnection(this, connection).begin();
  }

  onAcceptFailure(message: string): void {
    this.pod.thread.log.warn(`inbound plaintext: ${message}`);
  }
}

class PlaintextConnection implements DialHandler {
  private readonly plaintext: Plaintext;
  private readonly client: Connection;
  private readonly wanted: Address;
  private facts: ConnectionFacts | null;
  private access: AccessRequest | null;
  private report: ConnectionReport | null;

  constructor(plaintext: Plaintext, client: Connection) {
    this.plaintext = plaintext;
    this.client = client;
    this.wanted = client.peer.originalDestination ?? client.peer.local;
    this.facts = null;
    this.access = null;
    this.report = null;
  }

  begin(): void {
    const { pod } = this.plaintext;
    const refusal = pod.quota.enter();
    if (refusal !== null) {
      this.turnAway({ text: refusal, flags: '-' });
      return;
    }
    if (pod.ownPorts.has(this.wanted.port)) {
      this.refuse({ text: 'attempted to call ourselves', flags: '-' });
      return;
    }
    pod.whenKnown((workload) => {
      if (workload === null) this.refuse({ text: 'failed to fetch information about local workload', flags: '-' });
      else this.decide(workload);
    });
  }

  private decide(workload: Workload): void {
    const { plaintext, wanted } = this;
    const { pod } = plaintext;
    const { mesh, reporter } = pod.thread;
    this.facts = this.factsOf(workload);
    this.report = reporter.open(this.facts);
    const source = this.facts.sourceAddress.host;
    if (!pod.thread.exclusions.hasInbound(wanted.port)) {
      this.access = { sourceIp: source, identity: '', destinationIp: wanted.host, destinationPort: wanted.port };
      const denial = judge(mesh.policiesOf(workload), this.access);
      if (denial !== null) {
        this.fail(denialError(denial.reason));
        return;
      }
    }
    const keepsSource = pod.thread.settings.preservesSource && source !== wanted.host;
    pod.network.dial(wanted, pod.dialOptions(keepsSource ? source : ''), this);
  }

  // DialHandler

  onConnected(server: Connection): void {
    const { plaintext, client } = this;
    new TrackedRelay(client, server, this.facts!, this.access, plaintext.connections, this.report!).start();
    client.resume();
  }

  onDialFailure(failure: Failure): void {
    this.fail(dialError(failure, false));
  }

  private refuse(error: ConnectionError): void {
    this.plaintext.pod.quota.leave();
    this.turnAway(error);
  }

  private turnAway(error: ConnectionError): void {
    this.plaintext.pod.thread.reporter.refused(this.factsOf(null), error);
    this.client.reset(ClosedLocally);
  }

  private fail(error: ConnectionError): void {
    this.plaintext.pod.quota.leave();
    this.report!.close(error, 0, 0);
    this.client.reset(ClosedLocally);
  }

  private factsOf(workload: Workload | null): ConnectionFacts {
    const { plaintext, client, wanted } = this;
    const { pod } = plaintext;
    const { mesh, settings } = pod.thread;
    const { remote } = client.peer;
    return {
      direction: 'inbound',
      source: mesh.workloadByIp(settings.network, remote.host),
      sourceAddress: remote,
      sourceIdentity: '',
      destination: workload,
      destinationAddress: wanted,
      destinationIdentity: '',
      hboneAddress: '',
      service: workload === null ? null : guessedService(pod, workload, wanted.port),
      originalDestination: wanted,
    };
  }
}
