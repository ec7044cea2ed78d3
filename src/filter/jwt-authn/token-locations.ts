import type { RequestHead } from '../../core/head.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { findCookie } from '../../route/match/cookie-matcher.ts';
import { findParameter, parameterValue } from '../../route/match/query-matcher.ts';
import { joinedRequestHeaders } from '../../route/joined-headers.ts';
import { QueryMutations } from '../header-mutation/query-mutations.ts';
import type { JwtProviderData } from './jwt-authn-data.ts';

const tokenStart = /[A-Za-z0-9_\-.]/;

/** A place in requests where tokens are looked for. */
interface Location {
  /** What orders the places of a kind. */
  readonly key: string;
  /** Of whom tokens may be there; null: of anybody. */
  issuers: Set<string> | null;
}

interface HeaderLocation extends Location {
  readonly name: string;
  readonly prefix: string;
}

/** A token as it was found. */
export interface FoundToken {
  readonly text: string;
  isIssuerAllowed(issuer: string): boolean;
  /** Takes it out of the request. Of cookies it is not taken, as in Envoy. */
  remove(head: RequestHead, outcome: Outcome): void;
}

/** Where the tokens of some providers are: headers first, then query parameters, then cookies. */
export class TokenLocations {
  private readonly headers: readonly HeaderLocation[];
  private readonly params: readonly Location[];
  private readonly cookies: readonly Location[];
  private readonly ownHeaders: readonly string[];

  constructor(providers: readonly JwtProviderData[]) {
    const headers = new Map<string, HeaderLocation>();
    const params = new Map<string, Location>();
    const cookies = new Map<string, Location>();
    for (const provider of providers) {
      const { issuer, fromHeaders, fromParams, fromCookies } = provider;
      const isDefault = fromHeaders.length + fromParams.length + fromCookies.length === 0;
      const inHeaders = isDefault ? [{ name: 'authorization', valuePrefix: 'Bearer ' }] : fromHeaders;
      for (const { name, valuePrefix: prefix } of inHeaders)
        add(headers, issuer, { key: name + prefix, name, prefix, issuers: new Set() });
      for (const key of isDefault ? ['access_token'] : fromParams) add(params, issuer, { key, issuers: new Set() });
      for (const key of fromCookies) add(cookies, issuer, { key, issuers: new Set() });
    }
    this.headers = sorted(headers);
    this.params = sorted(params);
    this.cookies = sorted(cookies);
    this.ownHeaders = providers.flatMap((provider) => [
      ...(provider.forwardPayloadHeader === '' ? [] : [provider.forwardPayloadHeader]),
      ...provider.claimToHeaders.map(({ header }) => header),
    ]);
  }

  /** Nobody but the filter may say what a token says. */
  sanitize(head: RequestHead): void {
    for (const name of this.ownHeaders) head.headers.remove(name);
  }

  find(head: RequestHead): FoundToken[] {
    const found: FoundToken[] = [];
    for (const location of this.headers) this.findInHeader(location, head, found);
    for (const location of this.params) {
      const nameEnd = findParameter(head.path, location.key);
      if (nameEnd < 0) continue;
      const removal = new QueryMutations([{ kind: 'remove', key: location.key }]);
      found.push(
        tokenAt(location, unescaped(parameterValue(head.path, nameEnd)), (from, outcome) => {
          from.path = removal.apply(from.path, outcome);
        }),
      );
    }
    for (const location of this.cookies) {
      const value = findCookie(head.headers, location.key);
      if (value !== null) found.push(tokenAt(location, value, () => {}));
    }
    return found;
  }

  private findInHeader(location: HeaderLocation, head: RequestHead, found: FoundToken[]): void {
    const { name, prefix } = location;
    const values = head.headers.getAll(name);
    // Envoy makes one field of several.
    for (const value of values.length > 1 && joinedRequestHeaders.has(name) ? [values.join(',')] : values) {
      const at = value.indexOf(prefix);
      if (at < 0) continue;
      const text = prefix === '' ? value : behind(value, at + prefix.length);
      found.push(tokenAt(location, text, (from) => from.headers.remove(name)));
    }
  }
}

function add<Kind extends Location>(to: Map<string, Kind>, issuer: string, fresh: Kind): void {
  const location = to.get(fresh.key) ?? fresh;
  to.set(fresh.key, location);
  if (issuer === '') location.issuers = null;
  else location.issuers?.add(issuer);
}

function sorted<Kind extends Location>(locations: ReadonlyMap<string, Kind>): readonly Kind[] {
  return [...locations.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function tokenAt(location: Location, text: string, remove: (head: RequestHead, outcome: Outcome) => void): FoundToken {
  return { text, isIssuerAllowed: (issuer) => location.issuers === null || location.issuers.has(issuer), remove };
}

/** From the first character that a token can begin with; where there is none, the whole value. */
function behind(value: string, from: number): string {
  const rest = value.slice(from);
  const at = rest.search(tokenStart);
  return at < 0 ? value : rest.slice(at);
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
