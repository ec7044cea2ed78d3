import { parseIp } from '../../core/ip-address.ts';
import type { Address } from '../../core/peer.ts';
import type { CertificateFacts } from '../../core/tls-facts.ts';
import type { SanMatcherData } from '../../identity/secret-data.ts';
import { SanMatcher } from '../../identity/san-matcher.ts';
import { buildValueMatcher } from '../../observe/access-log/filter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { HeaderMatcher } from '../../route/match/header-matcher.ts';
import { FilterStateMatcher } from '../../route/match/state-matcher.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import { Regex } from '../../route/regex.ts';
import { UriTemplate } from '../../route/uri-template.ts';
import { remoteOf } from './inputs.ts';
import type { AddressOf, RuleData } from './rbac-data.ts';

/** Whether a rule holds for a request, or for a connection that has none. */
export type Rule = (outcome: Outcome) => boolean;

type Of<Kind extends RuleData['kind']> = Extract<RuleData, { readonly kind: Kind }>;

export function buildRule(data: RuleData): Rule {
  switch (data.kind) {
    case 'any':
      return () => true;
    case 'and':
      return all(data.rules.map(buildRule));
    case 'or':
      return any(data.rules.map(buildRule));
    case 'not': {
      const rule = buildRule(data.rule);
      return (outcome) => !rule(outcome);
    }
    case 'header': {
      const matcher = new HeaderMatcher(data.header);
      return ({ requestHead }) => requestHead !== null && matcher.matches(requestHead);
    }
    case 'path':
    case 'uri-template':
      return pathRule(data);
    case 'metadata':
      return metadataRule(data);
    case 'filter-state': {
      const matcher = new FilterStateMatcher(data.state);
      return (outcome) => matcher.matches(outcome);
    }
    case 'address':
      return addressRule(data);
    case 'port':
      return ({ peer }) => peer?.local.kind === 'ip' && peer.local.port >= data.start && peer.local.port < data.end;
    case 'server-name': {
      const matcher = new StringMatcher(data.name);
      return ({ peer }) => matcher.matches(peer?.serverName ?? '');
    }
    case 'authenticated':
      return authenticatedRule(data);
    case 'mtls':
      return mtlsRule(data.san);
  }
}

export function all(rules: readonly Rule[]): Rule {
  if (rules.length === 1) return rules[0];
  return (outcome) => {
    for (let i = 0; i < rules.length; i++) if (!rules[i](outcome)) return false;
    return true;
  };
}

export function any(rules: readonly Rule[]): Rule {
  if (rules.length === 1) return rules[0];
  return (outcome) => {
    for (let i = 0; i < rules.length; i++) if (rules[i](outcome)) return true;
    return false;
  };
}

function pathRule(data: Of<'path'> | Of<'uri-template'>): Rule {
  const matcher = data.kind === 'path' ? new StringMatcher(data.path) : new UriTemplate(data.template);
  return ({ requestHead }) =>
    requestHead !== null && requestHead.path !== '' && matcher.matches(bare(requestHead.path));
}

/** The path that was asked for last, as it came and as rules see it: a hundred rules ask for the same one. */
let lastPath = '';
let lastBare = '';

/** Without query and fragment. */
function bare(path: string): string {
  if (path === lastPath) return lastBare;
  const end = path.search(/[?#]/);
  lastPath = path;
  lastBare = end < 0 ? path : path.slice(0, end);
  return lastBare;
}

function metadataRule({ of, metadata }: Of<'metadata'>): Rule {
  const { filter, path, invert } = metadata;
  const test = buildValueMatcher(metadata.value);
  return (outcome) => {
    let value: unknown;
    if (of === 'dynamic') value = outcome.dynamicMetadata?.get(filter);
    // Without a route there is nothing to be matched, not even by its absence.
    else if (outcome.virtualHostName === '') return false;
    else value = outcome.routeMetadata?.[filter];
    for (let i = 0; i < path.length; i++) value = memberOf(value, path[i]);
    return (value !== undefined && test(value)) !== invert;
  };
}

/** Of a struct; undefined: there is none. */
export function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
    return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

const addressReaders: Readonly<Record<AddressOf, (outcome: Outcome) => Address | null>> = {
  destination: ({ peer }) => peer?.local ?? null,
  connection: ({ peer }) => peer?.remote ?? null,
  direct: ({ peer }) => peer?.directRemote ?? null,
  remote: remoteOf,
};

function addressRule({ of, range }: Of<'address'>): Rule {
  const read = addressReaders[of];
  const { length } = range;
  const prefix = parseIp(range.address);
  if (prefix === null) throw new Error(`no IP address: ${range.address}`);
  const whole = length >> 3;
  const mask = 0xff00 >> (length & 7);
  return (outcome) => {
    const address = read(outcome);
    const bytes = address?.kind === 'ip' ? parsed(address.host) : null;
    if (bytes === null || bytes.length !== prefix.length) return false;
    for (let i = 0; i < whole; i++) if (bytes[i] !== prefix[i]) return false;
    return whole === prefix.length || ((bytes[whole] ^ prefix[whole]) & mask & 0xff) === 0;
  };
}

/** The address that was asked for last: a hundred rules ask for the same one. */
let lastHost = '';
let lastBytes: Uint8Array | null = null;

function parsed(host: string): Uint8Array | null {
  if (host === lastHost) return lastBytes;
  lastHost = host;
  lastBytes = parseIp(host);
  return lastBytes;
}

function authenticatedRule({ name }: Of<'authenticated'>): Rule {
  if (name === null) return ({ peer }) => (peer?.tls ?? null) !== null;
  const matcher = new StringMatcher(name);
  return ({ peer }) => {
    const facts = peer?.tls ?? null;
    if (facts === null) return false;
    if (facts.peerChain.length === 0) return matcher.matches('');
    const { uris, dnsNames, subject } = facts.peerChain[0];
    for (let i = 0; i < uris.length; i++) if (matcher.matches(uris[i])) return true;
    for (let i = 0; i < dnsNames.length; i++) if (matcher.matches(dnsNames[i])) return true;
    return matcher.matches(subject);
  };
}

function mtlsRule(san: SanMatcherData | null): Rule {
  const matcher = san === null ? null : new SanMatcher(san, compileRegex);
  return ({ peer }) => {
    const facts = peer?.tls ?? null;
    if (facts === null || !facts.isPeerVerified || facts.peerChain.length === 0) return false;
    return matcher === null || hasName(facts.peerChain[0], san!.type, matcher);
  };
}

function compileRegex(pattern: string): { test(text: string): boolean } {
  const regex = new Regex(pattern);
  return { test: (text) => regex.matches(text) };
}

function hasName(certificate: CertificateFacts, type: SanMatcherData['type'], matcher: SanMatcher): boolean {
  const names = namesOf(certificate, type);
  return names.some((value) => matcher.matches({ type, value, oid: '' }));
}

function namesOf(
  { uris, dnsNames, emails, ipAddresses }: CertificateFacts,
  type: SanMatcherData['type'],
): readonly string[] {
  switch (type) {
    case 'URI':
      return uris;
    case 'DNS':
      return dnsNames;
    case 'EMAIL':
      return emails;
    case 'IP_ADDRESS':
      return ipAddresses;
    case 'OTHER_NAME':
      return [];
  }
}
