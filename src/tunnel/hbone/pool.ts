import type { H2ClientOptions } from '../../codec/h2/options.ts';
import type { Timed } from '../../core/clock.ts';
import type { Connection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { ClosedLocally } from '../../core/failures.ts';
import type { RequestHead } from '../../core/head.ts';
import type { Address } from '../../core/peer.ts';
import type { DialHandler, Dialing, DialOptions } from '../../net/network.ts';
import type { TransportOptions, UpstreamTransport } from '../../net/transport.ts';
import type { TunnelTime } from '../tunnel-connection.ts';
import { HboneClientConnection, type HboneConnectionOwner } from './client-connection.ts';
import { ClientTunnel, type TunnelHandler } from './client-tunnel.ts';
import { hboneClientOptions, type HboneSettings } from './options.ts';

/** Where tunnels lead through, and as whom. */
export interface HboneEndpoint {
  /** Equal only where everything else is: identities of both ends, addresses of both ends. */
  readonly key: string;
  readonly address: Address;
  readonly transport: UpstreamTransport;
  readonly options: DialOptions;
  readonly wanted: TransportOptions;
}

/** A tunnel in the making. */
export interface TunnelOpening {
  /** No call on the handler follows. */
  cancel(): void;
}

/** Tunnels that wait for a connection; more are refused. */
const waitingMax = 10_000;

/** Connections that carry tunnels, by endpoint: one connect under way each, and as many connections as streams need. */
export class HbonePool {
  private readonly time: TunnelTime;
  private readonly settings: HboneSettings;
  private readonly options: H2ClientOptions;
  private readonly groups: Map<string, PoolGroup>;
  private isClosed: boolean;

  constructor(time: TunnelTime, settings: HboneSettings) {
    this.time = time;
    this.settings = settings;
    this.options = hboneClientOptions(settings);
    this.groups = new Map();
    this.isClosed = false;
  }

  /** Asks for a tunnel by `request`, a CONNECT. The handler is called later, never from within. */
  open(endpoint: HboneEndpoint, request: RequestHead, handler: TunnelHandler): TunnelOpening {
    const tunnel = new ClientTunnel(request, handler, this.time);
    this.groupOf(endpoint).carry(tunnel);
    return tunnel;
  }

  /** Connections that are open, for logs and tests. */
  get connections(): number {
    let count = 0;
    for (const group of this.groups.values()) count += group.connections.size;
    return count;
  }

  /** No new tunnels; those that are open go on. */
  drain(): void {
    this.isClosed = true;
    for (const group of this.groups.values()) group.drain();
  }

  /** With everything that they carry. */
  close(failure: Failure = ClosedLocally): void {
    this.drain();
    for (const group of this.groups.values()) group.close(failure);
  }

  /** Connections, with everything that they carry. */
  closeWhere(isMeant: (connection: Connection) => boolean, failure: Failure): void {
    for (const { connections } of this.groups.values())
      for (const carrier of connections) if (isMeant(carrier.connection)) carrier.close(failure);
  }

  private groupOf(endpoint: HboneEndpoint): PoolGroup {
    const known = this.groups.get(endpoint.key);
    if (known !== undefined) return known;
    const { groups, time, options, settings } = this;
    const group: PoolGroup = new PoolGroup(endpoint, time, options, settings.unusedReleaseMs, () => {
      if (groups.get(endpoint.key) === group) groups.delete(endpoint.key);
    });
    if (!this.isClosed) groups.set(endpoint.key, group);
    return group;
  }
}

/** The connections of one endpoint. */
class PoolGroup implements HboneConnectionOwner, DialHandler {
  /** All that are open; and those that take tunnels, the one that took the last first. */
  readonly connections: Set<HboneClientConnection>;
  private readonly available: HboneClientConnection[];
  private readonly endpoint: HboneEndpoint;
  private readonly time: TunnelTime;
  private readonly options: H2ClientOptions;
  private readonly unusedReleaseMs: number;
  private readonly emptied: () => void;
  private readonly waiting: ClientTunnel[];
  private dialing: Dialing | null;
  private readonly again: (tunnel: ClientTunnel) => void;

  constructor(
    endpoint: HboneEndpoint,
    time: TunnelTime,
    options: H2ClientOptions,
    unusedReleaseMs: number,
    emptied: () => void,
  ) {
    this.connections = new Set();
    this.available = [];
    this.endpoint = endpoint;
    this.time = time;
    this.options = options;
    this.unusedReleaseMs = unusedReleaseMs;
    this.emptied = emptied;
    this.waiting = [];
    this.dialing = null;
    this.again = (tunnel) => this.wait(tunnel);
  }

  carry(tunnel: ClientTunnel): void {
    const connection = this.available.at(-1);
    if (connection?.canOpen === true) connection.open(tunnel, this.again);
    else this.wait(tunnel);
  }

  drain(): void {
    for (const connection of this.connections) connection.release();
  }

  close(failure: Failure): void {
    this.dialing?.cancel();
    this.dialing = null;
    for (const tunnel of this.waiting.splice(0)) tunnel.fail(failure);
    for (const connection of this.connections) connection.close(failure);
  }

  // HboneConnectionOwner

  onAvailable(connection: HboneClientConnection): void {
    this.available.push(connection);
    this.serve();
  }

  onUnavailable(connection: HboneClientConnection): void {
    const at = this.available.indexOf(connection);
    if (at >= 0) this.available.splice(at, 1);
  }

  onGone(connection: HboneClientConnection): void {
    this.connections.delete(connection);
    this.endIfEmpty();
  }

  // DialHandler

  onConnected(connection: Connection): void {
    this.dialing = null;
    const opened = new HboneClientConnection(connection, this, this.options, this.unusedReleaseMs, this.time);
    this.connections.add(opened);
    this.available.push(opened);
    this.serve();
  }

  onDialFailure(failure: Failure): void {
    this.dialing = null;
    for (const tunnel of this.waiting.splice(0)) tunnel.fail(failure);
    this.endIfEmpty();
  }

  private wait(tunnel: ClientTunnel): void {
    if (this.waiting.length >= waitingMax) {
      // Told later, as everything else.
      this.time.timers.schedule(new LateFailure(tunnel), this.time.clock.now);
      return;
    }
    this.waiting.push(tunnel);
    this.connect();
  }

  private serve(): void {
    while (this.waiting.length > 0) {
      const connection = this.available.at(-1);
      if (connection?.canOpen !== true) break;
      const tunnel = this.waiting.shift()!;
      if (!tunnel.isGivenUp) connection.open(tunnel, this.again);
    }
    if (this.waiting.length > 0) this.connect();
  }

  private connect(): void {
    if (this.dialing !== null) return;
    const { transport, address, options, wanted } = this.endpoint;
    this.dialing = transport.dial(address, options, wanted, this);
  }

  private endIfEmpty(): void {
    if (this.connections.size === 0 && this.waiting.length === 0 && this.dialing === null) this.emptied();
  }
}

/** Too many wait. */
class LateFailure implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly tunnel: ClientTunnel;

  constructor(tunnel: ClientTunnel) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.tunnel = tunnel;
  }

  tick(): void {
    this.tunnel.fail(ClosedLocally.with('too many tunnels wait for a connection'));
  }
}
