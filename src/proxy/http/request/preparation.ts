import { fieldValue } from '../../../core/field-value.ts';
import { HttpVersion, type RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { NameTable } from '../../../core/name-table.ts';
import type { Peer } from '../../../core/peer.ts';
import type { TlsFacts } from '../../../core/tls-facts.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import type { ClientCertData, ForwardingData, HcmData, RequestIdData } from '../hcm-data.ts';
import { ClientAddresses } from './client-address.ts';
import { isPlainConnection, keepsTrailers, namesUpgrade, removeNominatedHeaders } from './connection-header.ts';
import { ForwardedClientCert } from './forwarded-client-cert.ts';
import { compileHeaderKinds, HeaderKind, joinRepeated, removeKinds } from './header-scan.ts';
import { isAcceptableReferer } from './referer.ts';
import { missingHost, undetectedClient, type Reject } from './reject.ts';
import { clearTraceReason, RequestIds } from './request-id.ts';
import { TargetPreparation } from './target.ts';

/** What a connection manager knows of the process it runs in. */
export interface PreparationContext {
  /** `http.<stat_prefix>`. */
  readonly stats: StatsScope;
  readonly localNode: { readonly cluster: string; readonly id: string };
  /** The machine's first address that is not loopback: Envoy appends it to x-forwarded-for for a loopback peer. */
  readonly localAddress: string;
}

/**
 * Everything between the codec and the route table: what Envoy checks and rewrites in a request's head.
 * Built once per connection manager. Order and results are Envoy's `ConnectionManagerImpl::ActiveStream::decodeHeaders`
 * and `ConnectionManagerUtility::mutateRequestHeaders`.
 */
export class RequestPreparation {
  private readonly target: TargetPreparation;
  private readonly clients: ClientAddresses;
  private kinds: NameTable<number>;
  private internalOnly: readonly string[];
  private readonly cleansClientCert: boolean;
  private readonly ids: RequestIds;
  private readonly requestId: RequestIdData;
  private readonly forwarding: ForwardingData;
  private readonly defaultHost: string;
  private readonly trustsForwardedProto: boolean;
  private readonly passesClientCert: boolean;
  /** Null: nothing is said of the client's certificate. */
  private readonly clientCert: ForwardedClientCert | null;
  private readonly localNode: { readonly cluster: string; readonly id: string };
  private readonly rejectedByDetection: Counter;
  // Where the last scan found the headers that are written later; -1: nowhere.
  private forwardedFor: number;
  private forwardedProto: number;
  private forwardedPort: number;
  private requestIdAt: number;
  private userAgent: number;
  private via: number;
  private referer: number;
  private externalAddress: number;

  constructor(data: HcmData, context: PreparationContext) {
    this.target = new TargetPreparation(data.path, data.host, context.stats);
    this.clients = new ClientAddresses(data.client, context.localAddress);
    const { clientCert } = data.forwarding;
    this.internalOnly = data.routeConfig?.internalOnlyHeaders ?? [];
    this.cleansClientCert = clientCert.mode === 'SANITIZE';
    this.kinds = compileHeaderKinds(this.internalOnly, this.cleansClientCert);
    this.passesClientCert = clientCert.mode === 'ALWAYS_FORWARD_ONLY';
    this.clientCert = writesClientCert(clientCert.mode) ? new ForwardedClientCert(clientCert) : null;
    this.ids = new RequestIds();
    this.requestId = data.requestId;
    this.forwarding = data.forwarding;
    this.defaultHost = data.http1.defaultHostForHttp10;
    this.trustsForwardedProto = !data.client.useRemoteAddress || data.client.xffNumTrustedHops > 0;
    const { cluster, id } = context.localNode;
    this.localNode = { cluster: fieldValue(cluster), id: fieldValue(id) };
    this.rejectedByDetection = context.stats.counter('downstream_rq_rejected_via_ip_detection');
    this.forwardedFor = -1;
    this.forwardedProto = -1;
    this.forwardedPort = -1;
    this.requestIdAt = -1;
    this.userAgent = -1;
    this.via = -1;
    this.referer = -1;
    this.externalAddress = -1;
  }

  /** Another route configuration says what requests from outside may not bring: names in lower case. */
  useInternalOnly(names: readonly string[]): void {
    const isSame = names.length === this.internalOnly.length && names.every((name, i) => name === this.internalOnly[i]);
    if (isSame) return;
    this.internalOnly = names;
    this.kinds = compileHeaderKinds(names, this.cleansClientCert);
  }

  /**
   * Rewrites `head` in place and fills `outcome.remoteAddress` and `isInternal`; or says why not. `isRedirected`: an
   * upstream's redirect has led to it, and its fields are those of the client's request already.
   */
  prepare(head: RequestHead, peer: Peer, outcome: Outcome, isRedirected = false): Reject | null {
    if (isRedirected) return this.target.prepare(head, peer);
    if (head.authority === '' && head.version < HttpVersion.Http11) head.authority = this.defaultHost;
    const { headers } = head;
    let met = this.scan(headers);
    if ((met & (HeaderKind.Repeated | HeaderKind.Connection | HeaderKind.Upgrade)) !== 0) {
      this.sanitizeConnection(head, met);
      met = this.scan(headers);
    }
    if (head.authority === '' && !head.hasAuthority) return missingHost;
    const refusal = this.target.prepare(head, peer);
    return refusal === null ? this.mutate(head, peer, outcome, met) : refusal;
  }

  /** One pass over the names: which kinds occur, and where. */
  private scan(headers: Headers): number {
    this.forwardedFor = -1;
    this.forwardedProto = -1;
    this.forwardedPort = -1;
    this.requestIdAt = -1;
    this.userAgent = -1;
    this.via = -1;
    this.referer = -1;
    this.externalAddress = -1;
    const { names } = headers;
    const { kinds } = this;
    let met = 0;
    kinds.begin();
    for (let i = 0; i < names.length; i++) {
      const kind = kinds.get(names[i]);
      if (kind === 0) continue;
      if (kind >= HeaderKind.Connection && (met & kind) !== 0) met |= HeaderKind.Repeated;
      met |= kind;
      if (kind >= HeaderKind.Referer) this.remember(kind, i);
    }
    return met;
  }

  private remember(kind: number, index: number): void {
    if ((kind & HeaderKind.UserAgent) !== 0) this.userAgent = index;
    else if ((kind & HeaderKind.RequestId) !== 0) this.requestIdAt = index;
    else if ((kind & HeaderKind.ForwardedFor) !== 0) this.forwardedFor = index;
    else if ((kind & HeaderKind.ForwardedProto) !== 0) this.forwardedProto = index;
    else if ((kind & HeaderKind.ForwardedPort) !== 0) this.forwardedPort = index;
    else if ((kind & HeaderKind.Via) !== 0) this.via = index;
    else if ((kind & HeaderKind.Referer) !== 0) this.referer = index;
    else if ((kind & HeaderKind.ExternalAddress) !== 0) this.externalAddress = index;
  }

  /** Rare: repeats become one, what Connection names goes, and Connection itself unless it upgrades. */
  private sanitizeConnection(head: RequestHead, met: number): void {
    const { headers } = head;
    if ((met & HeaderKind.Repeated) !== 0) joinRepeated(headers);
    const connection = headers.get('connection') ?? '';
    // As Envoy: an upgrade's head goes on as it is.
    if (headers.has('upgrade') && namesUpgrade(connection)) return;
    if (!isPlainConnection(connection) && removeNominatedHeaders(headers, connection)) {
      head.authority = '';
      head.hasAuthority = false;
    }
    removeKinds(headers, this.kinds, HeaderKind.Connection | HeaderKind.Upgrade);
  }

  private mutate(head: RequestHead, peer: Peer, outcome: Outcome, met: number): Reject | null {
    const { headers } = head;
    const { values } = headers;
    const { clients } = this;
    const xff = this.forwardedFor < 0 ? null : values[this.forwardedFor];
    const client = clients.find(head, xff, peer);
    if (client.rejectStatus !== 0) {
      this.rejectedByDetection.inc();
      return undetectedClient(client.rejectStatus);
    }
    const isInternal = clients.isInternal(client, peer);
    const isEdge = !isInternal && clients.usesRemoteAddress;
    outcome.isInternal = isInternal;
    if (client.address !== null) outcome.remoteAddress = { kind: 'ip', host: client.address.text, port: 0 };

    // Headers that exist are rewritten in place while the scan's indices hold; then some go; then new ones come last.
    const tls = presenting(peer);
    let gone = HeaderKind.Drop;
    if (tls === null && !this.passesClientCert) gone |= HeaderKind.ClientCert;
    if (!isInternal) gone |= HeaderKind.InternalOnly;
    if (isEdge) gone |= HeaderKind.EdgeOnly;
    if (this.referer >= 0 && !isAcceptableReferer(values[this.referer])) gone |= HeaderKind.Referer;
    if ((met & HeaderKind.Te) !== 0 && !sanitizeTe(headers)) gone |= HeaderKind.Te;
    const forwarded = client.append ? clients.appended(peer.remote) : '';
    if (xff !== null && forwarded !== '') values[this.forwardedFor] = xff === '' ? forwarded : `${xff},${forwarded}`;
    const proto = peer.tls === null ? 'http' : 'https';
    const finalProto = this.rewriteProto(values, proto);
    const id = this.rewriteRequestId(values, isEdge);
    const external = isEdge ? (client.address?.text ?? ipOf(peer)) : '';
    if (external !== '' && this.externalAddress >= 0) values[this.externalAddress] = external;
    this.rewritePort(values, peer);
    if (this.forwarding.via !== '' && this.via >= 0) values[this.via] += `, ${this.forwarding.via}`;
    const needsUserAgent = this.forwarding.addUserAgent && this.rewriteUserAgent(values);
    if (head.scheme === '') head.scheme = schemeOf(finalProto, proto);

    const hadFor = xff !== null;
    const hadProto = this.forwardedProto >= 0;
    if ((met & gone) !== 0) removeKinds(headers, this.kinds, gone);
    if (!hadFor && forwarded !== '') headers.add('x-forwarded-for', forwarded);
    if (!hadProto) headers.add('x-forwarded-proto', finalProto);
    if (this.forwarding.appendXForwardedPort && this.forwardedPort < 0 && peer.local.kind === 'ip')
      headers.add('x-forwarded-port', String(peer.local.port));
    if (isInternal) headers.add('x-envoy-internal', 'true');
    if (this.forwarding.addUserAgent) this.addService(headers, needsUserAgent);
    if (this.forwarding.via !== '' && this.via < 0) headers.add('via', this.forwarding.via);
    if (external !== '' && this.externalAddress < 0) headers.add('x-envoy-external-address', external);
    if (id !== '') headers.add('x-request-id', id);
    if (tls !== null && this.clientCert !== null) this.clientCert.write(headers, tls);
    this.overwriteScheme(head);
    return null;
  }

  /** The x-forwarded-proto that holds from now on. */
  private rewriteProto(values: string[], own: string): string {
    if (this.forwardedProto < 0) return own;
    if (this.trustsForwardedProto) return values[this.forwardedProto];
    values[this.forwardedProto] = own;
    return own;
  }

  private rewritePort(values: string[], peer: Peer): void {
    if (this.forwardedPort < 0 || !this.forwarding.appendXForwardedPort || this.trustsForwardedProto) return;
    if (peer.local.kind === 'ip') values[this.forwardedPort] = String(peer.local.port);
  }

  /** An id that must still be added; empty: there is one, or none is wanted. */
  private rewriteRequestId(values: string[], isEdge: boolean): string {
    const { generate, preserveExternal, packTraceReason } = this.requestId;
    if (!generate) return '';
    if (this.requestIdAt < 0) return this.ids.take();
    const old = values[this.requestIdAt];
    if (old === '' || (isEdge && !preserveExternal)) values[this.requestIdAt] = this.ids.take();
    else if (isEdge && packTraceReason) values[this.requestIdAt] = clearTraceReason(old);
    return '';
  }

  /** True: a user-agent must still be added. */
  private rewriteUserAgent(values: string[]): boolean {
    if (this.userAgent < 0) return true;
    if (values[this.userAgent] === '') values[this.userAgent] = this.localNode.cluster;
    return false;
  }

  /** `add_user_agent` names this proxy as the caller. */
  private addService(headers: Headers, needsUserAgent: boolean): void {
    headers.set('x-envoy-downstream-service-cluster', this.localNode.cluster);
    if (needsUserAgent) headers.add('user-agent', this.localNode.cluster);
    if (this.localNode.id !== '') headers.set('x-envoy-downstream-service-node', this.localNode.id);
  }

  private overwriteScheme(head: RequestHead): void {
    const scheme = this.forwarding.schemeToOverwrite;
    if (scheme === '') return;
    head.scheme = scheme;
    head.headers.set('x-forwarded-proto', scheme);
  }
}

function sanitizeTe(headers: Headers): boolean {
  const index = headers.indexOf('te');
  if (!keepsTrailers(headers.values[index])) return false;
  headers.values[index] = 'trailers';
  return true;
}

function schemeOf(proto: string, own: string): string {
  if (proto === 'http' || proto === 'https') return proto;
  const lower = proto.toLowerCase();
  return lower === 'http' || lower === 'https' ? lower : own;
}

function writesClientCert(mode: ClientCertData['mode']): boolean {
  return mode === 'APPEND_FORWARD' || mode === 'SANITIZE_SET';
}

/** The handshake of a client that presented a certificate; null: there is none. */
function presenting({ tls }: Peer): TlsFacts | null {
  return tls === null || tls.peerChain.length === 0 ? null : tls;
}

function ipOf(peer: Peer): string {
  return peer.remote.kind === 'ip' ? peer.remote.host : '';
}
