import type { RequestHead } from '../../../core/head.ts';
import type { Peer, RemoteAddress } from '../../../core/peer.ts';
import type { ClientAddressData, OriginalIpDetectionData } from '../hcm-data.ts';
import { CidrRanges, parseIp, type IpAddress } from './ip-address.ts';

/** What was found out about the client; one object per connection manager, overwritten for each request. */
export class ClientVerdict {
  /** Null: the peer itself. */
  address: IpAddress | null;
  /** Whether the address may make the request internal. */
  maybeInternal: boolean;
  /** The peer is to be appended to x-forwarded-for. */
  append: boolean;
  /** Status of the refusal; 0: none. */
  rejectStatus: number;

  constructor() {
    this.address = null;
    this.maybeInternal = false;
    this.append = false;
    this.rejectStatus = 0;
  }
}

/** Decides who sent a request: the peer, or whom x-forwarded-for or another header names. */
export class ClientAddresses {
  readonly usesRemoteAddress: boolean;
  private readonly trustedHops: number;
  private readonly skipAppend: boolean;
  private readonly detectors: readonly Detector[];
  private readonly internalRanges: CidrRanges;
  private readonly internalUnixSockets: boolean;
  private readonly localAddress: string;
  private readonly verdict: ClientVerdict;
  /** The last peer whose address was parsed: keep-alive connections ask again and again. */
  private lastHost: string;
  private lastIp: IpAddress | null;

  constructor(data: ClientAddressData, localAddress: string) {
    this.usesRemoteAddress = data.useRemoteAddress;
    this.trustedHops = data.xffNumTrustedHops;
    this.skipAppend = data.skipXffAppend;
    this.detectors = data.detection.map((detection) =>
      detection.kind === 'xff' ? new XffDetector(detection) : new HeaderDetector(detection),
    );
    this.internalRanges = new CidrRanges(data.internalCidrRanges);
    this.internalUnixSockets = data.internalUnixSockets;
    this.localAddress = localAddress;
    this.verdict = new ClientVerdict();
    this.lastHost = '';
    this.lastIp = null;
  }

  /** `xff` is the joined x-forwarded-for; null: there is none. The answer is valid until the next call. */
  find(head: RequestHead, xff: string | null, peer: Peer): ClientVerdict {
    const { verdict } = this;
    verdict.rejectStatus = 0;
    if (this.usesRemoteAddress) {
      verdict.address = this.trustedHops > 0 && xff !== null ? addressFromRight(xff, this.trustedHops - 1) : null;
      verdict.maybeInternal = xff === null;
      verdict.append = !this.skipAppend;
    } else if (this.detectors.length === 0) {
      verdict.address = xff === null ? null : addressFromRight(xff, this.trustedHops);
      verdict.maybeInternal = verdict.address !== null && this.trustedHops === 0 && !xff!.includes(',');
      verdict.append = false;
    } else this.detect(head, xff, peer);
    return verdict;
  }

  /** After `find`: does the trusted address lie in internal_address_config? */
  isInternal(verdict: ClientVerdict, peer: Peer): boolean {
    if (!verdict.maybeInternal) return false;
    if (verdict.address !== null) return this.internalRanges.contains(verdict.address);
    if (!this.usesRemoteAddress) return false;
    if (peer.remote.kind !== 'ip') return peer.remote.kind === 'pipe' && this.internalUnixSockets;
    if (this.internalRanges.isEmpty) return false;
    const ip = this.parsePeer(peer.remote.host);
    return ip !== null && this.internalRanges.contains(ip);
  }

  /** What is appended to x-forwarded-for for `remote`; empty: nothing. A loopback peer hides behind this machine's address. */
  appended(remote: RemoteAddress): string {
    if (remote.kind !== 'ip') return '';
    if (remote.host === '127.0.0.1' || remote.host === '::1') return this.localAddress;
    return remote.host;
  }

  private detect(head: RequestHead, xff: string | null, peer: Peer): void {
    const { verdict } = this;
    verdict.address = null;
    verdict.maybeInternal = false;
    verdict.append = false;
    const peerIp = peer.remote.kind === 'ip' ? this.parsePeer(peer.remote.host) : null;
    for (const detector of this.detectors) {
      detector.detect(head, xff, peerIp, verdict);
      if (verdict.address !== null || verdict.rejectStatus !== 0) return;
    }
  }

  private parsePeer(host: string): IpAddress | null {
    if (host !== this.lastHost) {
      this.lastHost = host;
      this.lastIp = parseIp(host);
    }
    return this.lastIp;
  }
}

interface Detector {
  detect(head: RequestHead, xff: string | null, peer: IpAddress | null, verdict: ClientVerdict): void;
}

/** `envoy.extensions.http.original_ip_detection.xff.v3.XffConfig` */
class XffDetector implements Detector {
  private readonly hops: number;
  private readonly trusted: CidrRanges | null;
  private readonly skipAppend: boolean;

  constructor(data: OriginalIpDetectionData & { kind: 'xff' }) {
    this.hops = data.numTrustedHops;
    this.trusted = data.trustedCidrs === null ? null : new CidrRanges(data.trustedCidrs);
    this.skipAppend = data.skipXffAppend;
  }

  detect(_head: RequestHead, xff: string | null, peer: IpAddress | null, verdict: ClientVerdict): void {
    const { trusted } = this;
    if (trusted !== null && (peer === null || !trusted.contains(peer))) {
      verdict.append = true;
      return;
    }
    if (!this.skipAppend) verdict.append = true;
    if (xff === null) return;
    verdict.address = trusted === null ? addressFromRight(xff, this.hops) : lastUntrusted(xff, trusted);
    verdict.maybeInternal = verdict.address !== null && this.hops === 0 && !xff.includes(',');
  }
}

/** `envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig` */
class HeaderDetector implements Detector {
  private readonly header: string;
  private readonly trusted: boolean;
  private readonly rejectStatus: number;

  constructor(data: OriginalIpDetectionData & { kind: 'custom-header' }) {
    this.header = data.header;
    this.trusted = data.trusted;
    this.rejectStatus = data.rejectStatus;
  }

  detect(head: RequestHead, _xff: string | null, _peer: IpAddress | null, verdict: ClientVerdict): void {
    const value = head.get(this.header);
    verdict.address = value === undefined ? null : parseIp(value);
    verdict.maybeInternal = verdict.address !== null && this.trusted;
    if (verdict.address === null) verdict.rejectStatus = this.rejectStatus;
  }
}

/** The address that `skip` entries follow; null: there are fewer, or it is no address. */
export function addressFromRight(xff: string, skip: number): IpAddress | null {
  let end = xff.length;
  for (let i = 0; i < skip; i++) {
    const comma = xff.lastIndexOf(',', end - 1);
    if (comma < 0 || end === 0) return null;
    end = comma;
  }
  const comma = end === 0 ? -1 : xff.lastIndexOf(',', end - 1);
  return parseIp(xff.slice(comma + 1, end).trim());
}

/** From the right, the first address outside `trusted`, or the leftmost. */
function lastUntrusted(xff: string, trusted: CidrRanges): IpAddress | null {
  const entries = xff.split(',');
  let last: IpAddress | null = null;
  for (let i = entries.length - 1; i >= 0; i--) {
    const address = parseIp(entries[i].trim());
    if (address === null) return last;
    last = address;
    if (!trusted.contains(address)) return address;
  }
  return last;
}
