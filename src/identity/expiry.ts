import type { CertificateFacts } from '../core/tls-facts.ts';

const dayMs = 86_400_000;

/** Whole days until a certificate expires; null: it has. `/certs` says 0 then. */
export function daysUntilExpiry({ validToEpochMs }: CertificateFacts, nowEpochMs: number): number | null {
  const days = Math.floor((validToEpochMs - nowEpochMs) / dayMs);
  return days < 0 ? null : days;
}

/** What `server.days_until_first_cert_expiring` says where there are no certificates: the largest of 32 bits. */
export const neverExpires = 4_294_967_295;

/** Of the first to expire, for the gauge; 0: one has. */
export function daysUntilFirstExpiry(certificates: Iterable<CertificateFacts>, nowEpochMs: number): number {
  let first = neverExpires;
  for (const certificate of certificates) first = Math.min(first, daysUntilExpiry(certificate, nowEpochMs) ?? 0);
  return first;
}
