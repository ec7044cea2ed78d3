import { parseIp } from '../../core/ip-address.ts';
import { isWithin } from '../policy/access.ts';
import type { AddressRange } from '../state/policy.ts';

/** What is passed on as it is, without the mesh: plain data. */
export interface ExclusionData {
  readonly outboundPorts: readonly number[];
  readonly outboundRanges: readonly AddressRange[];
  readonly inboundPorts: readonly number[];
}

export const noExclusions: ExclusionData = { outboundPorts: [], outboundRanges: [], inboundPorts: [] };

/** Says of a connection whether it is the mesh's affair. */
export class Exclusions {
  private readonly outboundPorts: ReadonlySet<number>;
  private readonly outboundRanges: readonly AddressRange[];
  private readonly inboundPorts: ReadonlySet<number>;

  constructor({ outboundPorts, outboundRanges, inboundPorts }: ExclusionData) {
    this.outboundPorts = new Set(outboundPorts);
    this.outboundRanges = outboundRanges;
    this.inboundPorts = new Set(inboundPorts);
  }

  hasOutbound(host: string, port: number): boolean {
    if (this.outboundPorts.has(port)) return true;
    if (this.outboundRanges.length === 0) return false;
    const address = parseIp(host);
    return this.outboundRanges.some((range) => isWithin(range, address));
  }

  /** Of what comes in plain text. */
  hasInbound(port: number): boolean {
    return this.inboundPorts.has(port);
  }
}
