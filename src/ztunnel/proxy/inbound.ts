import { proxyProtocolHeader } from '../../codec/proxy-protocol.ts';
import type { AcceptedConnection, Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedLocally } from '../../core/failures.ts';
import { Headers } from '../../core/headers.ts';
import { formatAddress } from '../../core/peer.ts';
import type { AcceptHandler, DialHandler, Dialing } from '../../net/network.ts';
import { HboneServerConnection, type HboneServerOwner } from '../../tunnel/hbone/server-connection.ts';
import type { ServerTunnel } from '../../tunnel/hbone/server-tunnel.ts';
import { judge, type AccessRequest } from '../policy/access.ts';
import { identityOf, networkAddress, type Workload } from '../state/workload.ts';
import { baggageOf } from './baggage.ts';
import type { ConnectionError, ConnectionFacts, ConnectionReport } from './connection-facts.ts';
import type { Connections } from './connections.ts';
import { denialError, dialError, handshakeError } from './failure-text.ts';
import { forwardedHost } from './forwarded.ts';
import { behindWaypoint, inboundTarget, type InboundTarget } from './inbound-target.ts';
import type { Pod } from './pod.ts';
import { TrackedRelay } from './tracked-relay.ts';

/** Connections of clients that carry tunnels; more are turned away. */
const carriersMax = 20_000;

/** How long a client may take for its handshake. */
const handshakeMs = 10_000;

/** PROXY protocol: who the client has proved to be. Istio's type. */
const identityTlv = 0xd0;

/** HBONE that comes in: mutual TLS as the workload, and in it tunnels to the workload alone. */
export class Inbound implements AcceptHandler, HboneServerOwner {
  readonly pod: Pod;
  readonly connections: Connections;
  pending: number;
  private readonly carriers: Set<HboneServerConnection>;
  private isDraining: boolean;

  constructor(pod: Pod, connections: Connections) {
    this.pod = pod;
    this.connections = connections;
    this.pending = 0;
    this.carriers = new Set();
    this.isDraining = false;
  }

  onAccepted(connection: AcceptedConnection): void {
    if (this.carriers.size + this.pending >= carriersMax) {
      connection.reset(ClosedLocally);
      return;
    }
    this.pending++;
    connection.pause();
    const { pod } = this;
    pod.whenKnown((workload) => {
      if (workload === null) this.turnAway(connection);
      else this.secure(connection, workload);
    });
  }

  onAcceptFailure(message: string): void {
    this.pod.thread.log.warn(`inbound: ${message}`);
  }

  // HboneServerOwner

  onTunnelRequest(tunnel: ServerTunnel): void {
    new InboundTunnel(this, tunnel).begin();
  }

  onCarrierClosed(carrier: HboneServerConnection, failure: Failure): void {
    this.carriers.delete(carrier);
    const { remote, local, tls } = carrier.connection.peer;
    const hasShakenHands = tls !== null && !Number.isNaN(tls.handshakeMs);
    if (hasShakenHands) return;
    this.pod.thread.reporter.refused(
      {
        direction: 'inbound',
        source: null,
        sourceAddress: remote,
        sourceIdentity: '',
        destination: null,
        destinationAddress: local,
        destinationIdentity: '',
        hboneAddress: '',
        service: null,
        originalDestination: null,
      },
      handshakeError(failure),
    );
  }

  /** GOAWAY on every connection; what is open goes on. */
  drain(): void {
    this.isDraining = true;
    for (const carrier of this.carriers) carrier.drain();
  }

  close(): void {
    for (const carrier of this.carriers) carrier.close(ClosedLocally);
  }

  /** With their tunnels. */
  closeWhere(isMeant: (connection: Connection) => boolean, failure: Failure): void {
    for (const carrier of this.carriers) if (isMeant(carrier.connection)) carrier.close(failure);
  }

  private secure(connection: AcceptedConnection, workload: Workload): void {
    const { pod } = this;
    pod.whenSecured(workload, (tls) => {
      if (tls === null) {
        this.turnAway(connection);
        return;
      }
      this.pending--;
      const secured = tls.server.accept(connection, handshakeMs);
      connection.resume();
      const carrier = new HboneServerConnection(secured, this, pod.serverOptions, pod.network);
      this.carriers.add(carrier);
      if (this.isDraining) carrier.drain();
    });
  }

  private turnAway(connection: Connection): void {
    this.pending--;
    connection.reset(ClosedLocally);
  }
}

/** One request for a tunnel, until bytes flow. */
class InboundTunnel implements DialHandler {
  private readonly inbound: Inbound;
  private readonly tunnel: ServerTunnel;
  private target: InboundTarget | null;
  private workload: Workload | null;
  private facts: ConnectionFacts | null;
  private access: AccessRequest | null;
  private report: ConnectionReport | null;
  private dialing: Dialing | null;
  private isAbandoned: boolean;

  constructor(inbound: Inbound, tunnel: ServerTunnel) {
    this.inbound = inbound;
    this.tunnel = tunnel;
    this.target = null;
    this.workload = null;
    this.facts = null;
    this.access = null;
    this.report = null;
    this.dialing = null;
    this.isAbandoned = false;
  }

  begin(): void {
    const { tunnel, inbound } = this;
    const { pod } = inbound;
    if (tunnel.request!.method !== 'CONNECT') {
      tunnel.refuse(400);
      return;
    }
    const refusal = pod.quota.enter();
    if (refusal !== null) {
      this.turnAway(503, refusal, null);
      return;
    }
    tunnel.onAbandoned = () => this.abandon();
    pod.whenKnown((workload) => {
      if (this.isAbandoned) pod.quota.leave();
      else if (workload === null) this.refuse(503, 'failed to fetch information about local workload');
      else this.whenTold(workload);
    });
  }

  /** Whoever comes is asked for, for the names of later connections; what stands behind a waypoint is waited for. */
  private whenTold(workload: Workload): void {
    const { pod } = this.inbound;
    if (pod.thread.addresses === null) {
      this.decide(workload);
      return;
    }
    const { remote, local } = this.tunnel.carrier.peer;
    const { mesh, settings } = pod.thread;
    const source = networkAddress(settings.network, remote.host);
    if (!mesh.knows(source)) pod.askFor(source, () => {});
    const behind = behindWaypoint(pod, workload, local.host, this.tunnel.request!.authority);
    if (behind === null) this.decide(workload);
    else
      pod.askFor(behind, () => {
        if (this.isAbandoned) pod.quota.leave();
        else this.decide(workload);
      });
  }

  private decide(workload: Workload): void {
    const { tunnel, inbound } = this;
    const { pod } = inbound;
    const { local } = tunnel.carrier.peer;
    const target = inboundTarget(pod, workload, local.host, tunnel.request!.authority);
    if ('status' in target) {
      this.refuse(target.status, target.text, workload);
      return;
    }
    this.workload = workload;
    this.target = target;
    this.facts = this.factsOf(workload, target);
    this.report = pod.thread.reporter.open(this.facts);
    this.access = {
      sourceIp: this.facts.sourceAddress.host,
      identity: this.facts.sourceIdentity,
      destinationIp: target.host,
      destinationPort: target.port,
    };
    const denial = judge(pod.thread.mesh.policiesOf(workload), this.access);
    if (denial !== null) {
      pod.quota.leave();
      tunnel.refuse(401);
      this.report.close(denialError(denial.reason), 0, 0);
      return;
    }
    const source = this.sourceFor(target);
    this.dialing = pod.network.dial(
      { kind: 'ip', host: target.host, port: target.port },
      pod.dialOptions(source),
      this,
    );
  }

  /** What the application is to see the connection come from; empty: ourselves. */
  private sourceFor({ host, mayKeepSource }: InboundTarget): string {
    const { settings } = this.inbound.pod.thread;
    const source = this.facts!.sourceAddress.host;
    const isPossible = mayKeepSource && settings.preservesSource && source !== host;
    return isPossible && source.includes(':') === host.includes(':') ? source : '';
  }

  // DialHandler

  onConnected(server: Connection): void {
    const { tunnel, inbound, target } = this;
    this.dialing = null;
    tunnel.onAbandoned = null;
    if (target!.hasProxyHeader) server.write(this.proxyHeader(target!));
    tunnel.accept(this.answerHeaders(), (client) => {
      new TrackedRelay(client, server, this.facts!, this.access, inbound.connections, this.report!).start();
    });
  }

  onDialFailure(failure: Failure): void {
    this.inbound.pod.quota.leave();
    this.dialing = null;
    this.tunnel.refuse(503);
    this.report!.close(dialError(failure, false), 0, 0);
  }

  private abandon(): void {
    this.isAbandoned = true;
    if (this.dialing === null) return;
    this.inbound.pod.quota.leave();
    this.dialing.cancel();
    this.dialing = null;
    this.report!.close(null, 0, 0);
  }

  private answerHeaders(): Headers {
    const { settings } = this.inbound.pod.thread;
    if (!settings.sendsBaggage) return new Headers();
    return Headers.of(['baggage', baggageOf(this.workload!, settings.clusterId)]);
  }

  private proxyHeader({ askedHost, askedPort }: InboundTarget): Uint8Array {
    const { sourceAddress, sourceIdentity } = this.facts!;
    const tlvs = sourceIdentity === '' ? [] : [{ type: identityTlv, value: Buffer.from(sourceIdentity) }];
    return proxyProtocolHeader(2, sourceAddress, { kind: 'ip', host: askedHost, port: askedPort }, tlvs);
  }

  private refuse(status: number, text: string, workload: Workload | null = null): void {
    this.inbound.pod.quota.leave();
    this.turnAway(status, text, workload);
  }

  private turnAway(status: number, text: string, workload: Workload | null): void {
    this.tunnel.refuse(status);
    const error: ConnectionError = { text, flags: '-' };
    this.inbound.pod.thread.reporter.refused(this.factsOf(workload, null), error);
  }

  private factsOf(workload: Workload | null, target: InboundTarget | null): ConnectionFacts {
    const { tunnel, inbound } = this;
    const { mesh, settings } = inbound.pod.thread;
    const { peer } = tunnel.carrier;
    const request = tunnel.request!;
    const named = forwardedHost(request.headers.get('forwarded') ?? '');
    const service = named === '' || workload === null ? null : mesh.services.byHostname(named, workload.namespace);
    return {
      direction: 'inbound',
      source: mesh.workloadByIp(settings.network, peer.remote.host),
      sourceAddress: peer.remote,
      sourceIdentity: peer.tls?.peerChain[0]?.uris[0] ?? '',
      destination: workload,
      destinationAddress: peer.local,
      destinationIdentity: workload === null ? '' : identityOf(workload),
      hboneAddress:
        target === null ? request.authority : formatAddress({ kind: 'ip', host: target.host, port: target.port }),
      service: service ?? target?.service ?? null,
      originalDestination: null,
    };
  }
}
