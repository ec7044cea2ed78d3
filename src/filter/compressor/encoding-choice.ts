import { parseAcceptEncoding } from './accept-encoding.ts';

/** Why an encoding was chosen: names of Envoy's counters. */
export const ChoiceReason = {
  NotValid: 'header_not_valid',
  Identity: 'header_identity',
  Wildcard: 'header_wildcard',
  Compressor: 'header_compressor_used',
} as const;
export type ChoiceReason = (typeof ChoiceReason)[keyof typeof ChoiceReason];

export interface EncodingChoice {
  /** Empty: the body stays as it is. */
  readonly encoding: string;
  readonly reason: ChoiceReason;
}

/** A compressor filter, as the choice between several looks at it. */
export interface Candidate {
  readonly encoding: string;
  readonly isFirstChoice: boolean;
  allowsContentType(type: string): boolean;
}

const notValid: EncodingChoice = { encoding: '', reason: ChoiceReason.NotValid };
const identity: EncodingChoice = { encoding: '', reason: ChoiceReason.Identity };

/**
 * What the client likes best of what the compressors of a chain offer: the highest quality; of equal ones that of the
 * last filter that has `choose_first`, else what the client names first. `*` is the first filter's.
 * @param contentType of the response; empty: unknown
 */
export function chooseEncoding(
  acceptEncoding: string,
  candidates: readonly Candidate[],
  contentType: string,
): EncodingChoice {
  const offered: string[] = [];
  let first = '';
  for (const candidate of candidates) {
    if (contentType !== '' && !candidate.allowsContentType(contentType)) continue;
    if (!offered.includes(candidate.encoding)) offered.push(candidate.encoding);
    if (candidate.isFirstChoice) first = candidate.encoding;
  }
  const accepted = parseAcceptEncoding(acceptEncoding);
  const allowed = offered.filter((name) => !accepted.some((one) => one.name === name && one.quality === 0));
  if (accepted.length === 0 || allowed.length === 0) return notValid;
  let name = '';
  let quality = 0;
  for (const one of accepted) {
    if (one.name !== 'identity' && one.name !== '*' && !allowed.includes(one.name)) continue;
    const isBetter = one.quality > quality || (one.quality === quality && one.quality > 0 && one.name === first);
    if (!isBetter) continue;
    name = one.name;
    quality = one.quality;
  }
  if (quality === 0) return notValid;
  if (name === 'identity') return identity;
  if (name === '*') return { encoding: allowed[0], reason: ChoiceReason.Wildcard };
  return { encoding: name, reason: ChoiceReason.Compressor };
}
