import { parseIp } from '../../core/ip-address.ts';
import type { AddressRange, Policy, PolicyMatch, ServiceAccountMatch, StringMatch } from '../state/policy.ts';

/** A connection as policies look at it. */
export interface AccessRequest {
  readonly sourceIp: string;
  /** `spiffe://…`; empty: the peer has not proved who it is. */
  readonly identity: string;
  /** Where it really goes. */
  readonly destinationIp: string;
  readonly destinationPort: number;
}

/** Why a connection may not be; ztunnel's words. */
export interface Denial {
  readonly reason: string;
}

const noneAllowed: Denial = { reason: 'allow policies exist, but none allowed' };

/** Whether `policies` let a connection be. Null: they do. */
export function judge(policies: readonly Policy[], request: AccessRequest): Denial | null {
  const subject = new Subject(request);
  for (const policy of policies)
    if (policy.action === 'Deny' && !policy.dryRun && subject.isMeantBy(policy))
      return { reason: `explicitly denied by: ${policy.namespace}/${policy.name}` };
  let isAnyAllow = false;
  for (const policy of policies) {
    if (policy.action !== 'Allow' || policy.dryRun) continue;
    isAnyAllow = true;
    if (subject.isMeantBy(policy)) return null;
  }
  return isAnyAllow ? noneAllowed : null;
}

/** Dry-run policies that would have had a say, for the log: `namespace/name`. */
export function dryRunMatches(policies: readonly Policy[], request: AccessRequest): string[] {
  const subject = new Subject(request);
  return policies
    .filter((policy) => policy.dryRun && subject.isMeantBy(policy))
    .map(({ namespace, name }) => `${namespace}/${name}`);
}

/** The parts of a request, made ready to be compared. */
class Subject {
  /** Without `spiffe://`; null: none. */
  private readonly principal: string | null;
  private readonly namespace: string | null;
  private readonly serviceAccount: string | null;
  private readonly source: Uint8Array | null;
  private readonly destination: Uint8Array | null;
  private readonly port: number;

  constructor({ sourceIp, identity, destinationIp, destinationPort }: AccessRequest) {
    this.principal = identity === '' ? null : identity.slice('spiffe://'.length);
    const [, ns, namespace, sa, serviceAccount] = this.principal?.split('/') ?? [];
    const isIstio = ns === 'ns' && sa === 'sa';
    this.namespace = isIstio ? namespace : null;
    this.serviceAccount = isIstio ? (serviceAccount ?? null) : null;
    this.source = parseIp(sourceIp);
    this.destination = parseIp(destinationIp);
    this.port = destinationPort;
  }

  /** A policy without rules means nobody; a clause without matches means everybody. */
  isMeantBy({ rules }: Policy): boolean {
    return rules.some((clauses) =>
      clauses.every((matches) => matches.length === 0 || matches.some((match) => this.fits(match))),
    );
  }

  private fits(match: PolicyMatch): boolean {
    return (
      !isEmpty(match) &&
      this.fitsText(match.namespaces, match.notNamespaces, this.namespace) &&
      this.fitsText(match.principals, match.notPrincipals, this.principal) &&
      this.fitsAccounts(match.serviceAccounts, match.notServiceAccounts) &&
      fitsAddress(match.sourceIps, match.notSourceIps, this.source) &&
      fitsAddress(match.destinationIps, match.notDestinationIps, this.destination) &&
      (match.destinationPorts.length === 0 || match.destinationPorts.includes(this.port)) &&
      !match.notDestinationPorts.includes(this.port)
    );
  }

  private fitsText(wanted: readonly StringMatch[], unwanted: readonly StringMatch[], value: string | null): boolean {
    return (
      (wanted.length === 0 || wanted.some((match) => matchesText(match, value))) &&
      !unwanted.some((match) => matchesText(match, value))
    );
  }

  private fitsAccounts(wanted: readonly ServiceAccountMatch[], unwanted: readonly ServiceAccountMatch[]): boolean {
    const isMe = ({ namespace, serviceAccount }: ServiceAccountMatch): boolean =>
      this.serviceAccount !== null && namespace === this.namespace && serviceAccount === this.serviceAccount;
    return (wanted.length === 0 || wanted.some(isMe)) && !unwanted.some(isMe);
  }
}

function matchesText(match: StringMatch, value: string | null): boolean {
  if (value === null) return false;
  switch (match.kind) {
    case 'Exact':
      return value === match.value;
    case 'Prefix':
      return value.startsWith(match.value);
    case 'Suffix':
      return value.endsWith(match.value);
    case 'Presence':
      return value !== '';
  }
}

function fitsAddress(
  wanted: readonly AddressRange[],
  unwanted: readonly AddressRange[],
  address: Uint8Array | null,
): boolean {
  return (
    (wanted.length === 0 || wanted.some((range) => isWithin(range, address))) &&
    !unwanted.some((range) => isWithin(range, address))
  );
}

/** Null: no address, which is within none. */
export function isWithin({ bytes, length }: AddressRange, address: Uint8Array | null): boolean {
  if (address === null || address.length !== bytes.length) return false;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== bytes[i]) return false;
  const rest = length & 7;
  if (rest === 0) return true;
  const mask = 0xff << (8 - rest);
  return (address[whole] & mask) === (bytes[whole] & mask);
}

function isEmpty(match: PolicyMatch): boolean {
  return Object.values(match).every((list: readonly unknown[]) => list.length === 0);
}
