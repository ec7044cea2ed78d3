import { randomBytes } from 'node:crypto';
import type { AcceptedConnection, Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedLocally } from '../../core/failures.ts';
import { HttpVersion, RequestHead, type ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { formatAddress, type Address } from '../../core/peer.ts';
import type { AcceptHandler, DialHandler } from '../../net/network.ts';
import { HbonePool, type HboneEndpoint } from '../../tunnel/hbone/pool.ts';
import { TunnelNetwork } from '../../tunnel/hbone/tunnel-network.ts';
import type { TunnelHandler } from '../../tunnel/hbone/client-tunnel.ts';
import { noTransportOptions } from '../../net/transport.ts';
import { IdentityTls } from '../certificates/identity-tls.ts';
import { asItIs, type OutboundPlan } from '../choice/destination.ts';
import { identityOf, type Workload } from '../state/workload.ts';
import { baggageOf } from './baggage.ts';
import type { ConnectionError, ConnectionFacts, ConnectionReport } from './connection-facts.ts';
import { lookupFailures } from './address-source.ts';
import type { Connections } from './connections.ts';
import { dialError, statusError } from './failure-text.ts';
import type { Pod } from './pod.ts';
import { carrierBufferLimit, isLoopback } from './settings.ts';
import { TrackedRelay } from './tracked-relay.ts';

/** The destination, its waypoint or gateway, and one more where those have changed meanwhile. */
const asksMax = 3;

/** Tells a client that has asked, before bytes flow. */
export interface OutboundAnswer {
  opened(client: Connection): void;
  /** The client is closed after it. */
  failed(client: Connection): void;
}

/** Connections that leave a workload: redirected to us, or asked for by SOCKS. */
export class Outbound implements AcceptHandler {
  readonly pod: Pod;
  readonly connections: Connections;

  constructor(pod: Pod, connections: Connections) {
    this.pod = pod;
    this.connections = connections;
  }

  onAccepted(connection: AcceptedConnection): void {
    const { peer } = connection;
    connection.pause();
    this.carry(connection, peer.originalDestination ?? peer.local);
  }

  onAcceptFailure(message: string): void {
    this.pod.thread.log.warn(`outbound: ${message}`);
  }

  /** A client's connection, which is paused, and where it wants to go. `answer`: it is told; null: no. */
  carry(client: Connection, wanted: Address, answer: OutboundAnswer | null = null): void {
    new OutboundConnection(this, client, wanted, answer).begin();
  }
}

/** One of them, until bytes flow. */
class OutboundConnection implements DialHandler, TunnelHandler {
  private readonly outbound: Outbound;
  private readonly client: Connection;
  private readonly wanted: Address;
  private readonly answer: OutboundAnswer | null;
  private facts: ConnectionFacts | null;
  private report: ConnectionReport | null;
  private isTunnelled: boolean;

  constructor(outbound: Outbound, client: Connection, wanted: Address, answer: OutboundAnswer | null) {
    this.outbound = outbound;
    this.answer = answer;
    this.client = client;
    this.wanted = wanted;
    this.facts = null;
    this.report = null;
    this.isTunnelled = false;
  }

  begin(): void {
    const { pod } = this.outbound;
    const { wanted } = this;
    const refusal = pod.quota.enter();
    if (refusal !== null) {
      this.turnAway(null, { text: refusal, flags: '-' });
      return;
    }
    if (isLoopback(wanted.host) && pod.ownPorts.has(wanted.port)) {
      this.refuse(null, { text: 'attempted to call ourselves', flags: '-' });
      return;
    }
    pod.whenKnown((workload) => {
      if (workload !== null) this.decide(workload);
      else this.refuse(null, { text: 'failed to fetch information about local workload', flags: '-' });
    });
  }

  /** `asked`: what istiod was asked for, because of this connection. */
  private decide(source: Workload, asked: readonly string[] = []): void {
    const { pod } = this.outbound;
    const { host, port } = this.wanted;
    const isExcluded = pod.thread.exclusions.hasOutbound(host, port);
    const plan = isExcluded ? asItIs(this.wanted, null) : pod.destinations.plan({ client: source, host, port });
    if (pod.thread.addresses !== null && !isExcluded) {
      const missing = pod.destinations.missingOf(plan, host);
      if (missing !== null && !asked.includes(missing) && asked.length < asksMax) {
        this.ask(missing, source, asked);
        return;
      }
    }
    if ('reason' in plan) {
      this.refuse(source, { text: plan.reason, flags: 'CONNECT' });
      return;
    }
    if (plan.protocol === 'double-hbone' && plan.farIdentities.length === 0) {
      this.refuse(source, { text: 'nobody is known to be at the far end of the other network', flags: 'CONNECT' });
      return;
    }
    this.isTunnelled = plan.protocol !== 'tcp';
    const facts = factsOf(plan, source, this.client, this.wanted);
    this.facts = facts;
    this.report = pod.thread.reporter.open(facts);
    if (!this.isTunnelled) {
      pod.network.dial(facts.destinationAddress, pod.dialOptions(''), this);
      return;
    }
    pod.whenSecured(source, (tls, problem) => {
      if (tls === null) this.fail({ text: `identity error: ${problem}`, flags: 'IDENTITY_ERROR' });
      else this.openTunnel(plan, source, tls, facts);
    });
  }

  /** And decides again. Without an answer nothing leaves: it might be plain text that should have been none. */
  private ask(key: string, source: Workload, asked: readonly string[]): void {
    this.outbound.pod.askFor(key, (outcome) => {
      if (outcome === 'told' || outcome === 'unknown') this.decide(source, [...asked, key]);
      else this.refuse(source, { text: lookupFailures[outcome], flags: 'CONNECT' });
    });
  }

  private openTunnel(plan: OutboundPlan, source: Workload, tls: IdentityTls, facts: ConnectionFacts): void {
    const { pod } = this.outbound;
    const identity = identityOf(source);
    const endpoint: HboneEndpoint = {
      key: [identity, ...plan.identities, formatAddress(facts.destinationAddress), facts.sourceAddress.host].join(' '),
      address: facts.destinationAddress,
      transport: tls.client,
      options: pod.dialOptions('', carrierBufferLimit),
      wanted: { ...noTransportOptions, key: plan.identities.join(' '), subjectAltNames: plan.identities },
    };
    const request = requestOf(plan, source, facts, pod.thread.settings.clusterId);
    if (plan.protocol === 'hbone') pod.pool.open(endpoint, request, this);
    else this.openFarTunnel(plan, endpoint, request, identity);
  }

  /** Inside the tunnel to the gateway of another network, one to where it really goes: of this connection alone. */
  private openFarTunnel(plan: OutboundPlan, gateway: HboneEndpoint, request: RequestHead, identity: string): void {
    const { pod } = this.outbound;
    const { settings } = pod.thread;
    const behind = new TunnelNetwork(pod.pool, gateway, request, pod.network);
    const far = new IdentityTls(identity, behind, pod.thread, settings);
    const pool = new HbonePool(pod.network, settings.hbone);
    const farRequest = new RequestHead('CONNECT', plan.authority, '', HttpVersion.Http2, request.headers.clone());
    farRequest.headers.add('x-forwarded-network', settings.network);
    const wanted = {
      ...noTransportOptions,
      key: plan.farIdentities.join(' '),
      subjectAltNames: plan.farIdentities,
    };
    // What is open goes on when both are let go.
    const leave = (): void => {
      pool.drain();
      far.release();
    };
    pool.open({ ...gateway, transport: far.client, wanted }, farRequest, {
      onTunnel: (tunnel) => {
        this.carry(tunnel);
        leave();
      },
      onTunnelFailure: (failure, status) => {
        this.onTunnelFailure(failure, status);
        leave();
      },
    });
  }

  // DialHandler

  onConnected(connection: Connection): void {
    this.carry(connection);
  }

  onDialFailure(failure: Failure): void {
    this.fail(dialError(failure, false));
  }

  // TunnelHandler

  onTunnel(tunnel: Connection, _head: ResponseHead): void {
    this.carry(tunnel);
  }

  onTunnelFailure(failure: Failure, status: number): void {
    this.fail(status === 0 ? dialError(failure, true) : statusError(status));
  }

  private carry(server: Connection): void {
    const { outbound } = this;
    this.answer?.opened(this.client);
    const { connections } = outbound;
    new TrackedRelay(this.client, server, this.facts!, null, connections, this.report!).start();
    this.client.resume();
  }

  /** Nothing was opened for it. */
  private refuse(source: Workload | null, error: ConnectionError): void {
    this.outbound.pod.quota.leave();
    this.turnAway(source, error);
  }

  private turnAway(source: Workload | null, error: ConnectionError): void {
    const { outbound, client, wanted } = this;
    outbound.pod.thread.reporter.refused(
      {
        direction: 'outbound',
        source,
        sourceAddress: client.peer.remote,
        sourceIdentity: '',
        destination: null,
        destinationAddress: wanted,
        destinationIdentity: '',
        hboneAddress: '',
        service: null,
        originalDestination: wanted,
      },
      error,
    );
    this.close();
  }

  private fail(error: ConnectionError): void {
    this.outbound.pod.quota.leave();
    this.report!.close(error, 0, 0);
    this.close();
  }

  private close(): void {
    const { client, answer } = this;
    if (answer === null) client.reset(ClosedLocally);
    else answer.failed(client);
  }
}

function factsOf(plan: OutboundPlan, source: Workload, client: Connection, wanted: Address): ConnectionFacts {
  const isTunnelled = plan.protocol !== 'tcp';
  const { workload } = plan;
  return {
    direction: 'outbound',
    source,
    sourceAddress: client.peer.remote,
    sourceIdentity: isTunnelled ? identityOf(source) : '',
    destination: workload,
    destinationAddress: { kind: 'ip', host: plan.host, port: plan.port },
    destinationIdentity: isTunnelled && workload !== null ? identityOf(workload) : '',
    hboneAddress: plan.authority,
    service: plan.service,
    originalDestination: wanted,
  };
}

function requestOf(plan: OutboundPlan, source: Workload, facts: ConnectionFacts, clusterId: string): RequestHead {
  const { remote } = { remote: facts.sourceAddress };
  const host = plan.service === null ? '' : `;host=${plan.service.hostname}`;
  const headers = Headers.of(
    ['baggage', baggageOf(source, clusterId)],
    ['forwarded', `for="${formatAddress(remote)}"${host}`],
    ['traceparent', newTraceparent()],
  );
  return new RequestHead('CONNECT', plan.authority, '', HttpVersion.Http2, headers);
}

/** W3C Trace Context: version 00, not sampled. */
function newTraceparent(): string {
  const random = randomBytes(24).toString('hex');
  return `00-${random.slice(0, 32)}-${random.slice(32)}-00`;
}
