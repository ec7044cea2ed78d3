/** A SPIFFE ID, `spiffe://trust-domain/path`. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** With the leading slash; empty: the trust domain itself. */
  readonly path: string;
}

const scheme = 'spiffe://';

/** SPIFFE-ID section 2.3: what implementations must support. */
const lengthMax = 2048;
const trustDomainLengthMax = 255;

const trustDomainCharacters = /^[a-z0-9._-]+$/;
const segmentCharacters = /^[a-zA-Z0-9._-]+$/;

/**
 * By the rules of the SPIFFE-ID standard, section 2: no port, user, query, fragment or escapes, no empty or relative
 * segment, no slash at the end. Scheme and trust domain are without regard to case, and lower-case here.
 * @returns null: the text is no SPIFFE ID
 */
export function parseSpiffeId(text: string): SpiffeId | null {
  if (text.length > lengthMax || text.slice(0, scheme.length).toLowerCase() !== scheme) return null;
  const slash = text.indexOf('/', scheme.length);
  const end = slash === -1 ? text.length : slash;
  const trustDomain = text.slice(scheme.length, end).toLowerCase();
  const path = text.slice(end);
  return isTrustDomain(trustDomain) && isSpiffePath(path) ? { trustDomain, path } : null;
}

export function isTrustDomain(name: string): boolean {
  return name.length <= trustDomainLengthMax && trustDomainCharacters.test(name);
}

export function formatSpiffeId({ trustDomain, path }: SpiffeId): string {
  return `${scheme}${trustDomain}${path}`;
}

/**
 * Of a URI name of a certificate, as Envoy's SPIFFE validator takes it: what stands between `spiffe://` and the next
 * slash, by the letter; null where either is missing.
 */
export function trustDomainOfUri(uri: string): string | null {
  if (!uri.startsWith(scheme)) return null;
  const slash = uri.indexOf('/', scheme.length);
  return slash <= scheme.length ? null : uri.slice(scheme.length, slash);
}

function isSpiffePath(path: string): boolean {
  if (path === '') return true;
  return path
    .slice(1)
    .split('/')
    .every((segment) => segment !== '.' && segment !== '..' && segmentCharacters.test(segment));
}
