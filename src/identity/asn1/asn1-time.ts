import { latin1 } from './asn1-text.ts';
import { DerError, tags } from './der-reader.ts';

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?(Z|[+-]\d{4})$/;

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime. @throws DerError */
export function asn1TimeMs(tag: number, content: Uint8Array): number {
  const pattern = tag === tags.utcTime ? utcTime : tag === tags.generalizedTime ? generalizedTime : null;
  const found = pattern?.exec(latin1(content)) ?? null;
  if (found === null) throw new DerError('an instant that cannot be read');
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((digits) => Number(digits ?? 0));
  // RFC 5280 section 4.1.2.5.1: two digits reach from 1950 to 2049.
  const fullYear = tag !== tags.utcTime ? year : year < 50 ? 2000 + year : 1900 + year;
  const instant = new Date(0);
  instant.setUTCFullYear(fullYear, month - 1, day);
  instant.setUTCHours(hour, minute, second);
  return instant.getTime() - offsetMs(found[7]);
}

/** `+0130`. */
function offsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
