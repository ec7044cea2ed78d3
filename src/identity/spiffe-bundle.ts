import { readCertificate } from './certificate.ts';
import { certificatesOfPem } from './pem.ts';

/** More than any federation has. */
const trustDomainsMax = 10_000;

interface Bundles {
  /** Trust domain → PEM of its roots. */
  readonly domains: Readonly<Record<string, string>>;
  /** Why they cannot be used; empty: they can. */
  readonly problem: string;
}

/**
 * SPIFFE trust bundles of several domains, as `trust_bundles` has them: `{"trust_domains": {"td": {"keys": [{"use":
 * "x509-svid", "x5c": ["…"]}]}}}`, each domain's part a bundle document of the SPIFFE Trust Domain and Bundle standard.
 */
export function readTrustBundles(text: string): Bundles {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refuse(`Invalid JSON in SPIFFE bundle: ${(error as Error).message}`);
  }
  const found = isObject(document) ? document['trust_domains'] : undefined;
  if (!isObject(found) || Object.keys(found).length === 0) return refuse('No trust domains found in SPIFFE bundle');
  const entries = Object.entries(found);
  if (entries.length > trustDomainsMax) return refuse(`more than ${trustDomainsMax} trust domains in SPIFFE bundle`);
  const domains: Record<string, string> = {};
  for (const [domain, bundle] of entries) {
    const keys = isObject(bundle) ? bundle['keys'] : undefined;
    if (!Array.isArray(keys)) return refuse(`No keys found in SPIFFE bundle for trust domain '${domain}'`);
    const roots = rootsOf(keys);
    if (typeof roots !== 'string') return refuse(`${roots.problem} in SPIFFE bundle for trust domain '${domain}'`);
    domains[domain] = roots;
  }
  return { domains, problem: '' };
}

/** PEM of the certificates of a trust domain, of PEM; a sentence in Envoy's words where there is none. */
export function checkTrustDomain(domain: string, pem: string): string {
  const refused = `Failed to load trusted CA certificate for ${domain}`;
  try {
    return certificatesOfPem(pem).length === 0 ? refused : '';
  } catch (error) {
    return `${refused}: ${(error as Error).message}`;
  }
}

/** JWT keys stand beside the certificates, and are not for us. */
function rootsOf(keys: readonly unknown[]): string | { problem: string } {
  let pem = '';
  for (const key of keys) {
    if (!isObject(key) || key['use'] !== 'x509-svid') continue;
    const certificates = key['x5c'];
    if (!Array.isArray(certificates) || certificates.length === 0) return { problem: 'a key without x5c' };
    for (const base64 of certificates) {
      try {
        pem += readCertificate(Buffer.from(String(base64), 'base64')).pem;
      } catch (error) {
        return { problem: (error as Error).message };
      }
    }
  }
  return pem === '' ? { problem: 'no certificate' } : pem;
}

function refuse(problem: string): Bundles {
  return { domains: {}, problem };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
