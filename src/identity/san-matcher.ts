import type { GeneralName } from './asn1/general-name.ts';
import { lowerAscii } from './byte-text.ts';
import type { SanMatcherData } from './secret-data.ts';

/** Compiles a pattern with RE2's syntax and linear time; `test` says whether it matches the whole text. */
export type RegexCompiler = (pattern: string) => { test(text: string): boolean };

/** One entry of `match_typed_subject_alt_names`. */
export class SanMatcher {
  private readonly data: SanMatcherData;
  private readonly value: string;
  private readonly regex: { test(text: string): boolean } | null;

  constructor(data: SanMatcherData, compileRegex: RegexCompiler) {
    const { match } = data;
    this.data = data;
    this.value = match.ignoreCase ? lowerAscii(match.value) : match.value;
    this.regex = match.kind === 'regex' ? compileRegex(match.value) : null;
  }

  matches(name: GeneralName): boolean {
    const { type, oid, match } = this.data;
    if (name.type !== type || (type === 'OTHER_NAME' && name.oid !== oid)) return false;
    if (type === 'DNS' && match.kind === 'exact') return matchesDnsName(match.value, name.value);
    return this.matchesText(match.ignoreCase ? lowerAscii(name.value) : name.value);
  }

  private matchesText(text: string): boolean {
    const { value } = this;
    switch (this.data.match.kind) {
      case 'exact':
        return text === value;
      case 'prefix':
        return text.startsWith(value);
      case 'suffix':
        return text.endsWith(value);
      case 'contains':
        return text.includes(value);
      case 'regex':
        return this.regex?.test(text) ?? false;
    }
  }
}

/**
 * RFC 6125 section 6.4 as Envoy has it: without regard to case, and one `*` in the leftmost label of the certificate's
 * name stands for what that label of the host's name has there. Not in a label that is an internationalised one.
 */
export function matchesDnsName(hostName: string, certificateName: string): boolean {
  const host = lowerAscii(hostName);
  const pattern = lowerAscii(certificateName);
  if (host === pattern) return true;
  const hostDot = host.indexOf('.');
  const patternDot = pattern.indexOf('.');
  if (hostDot === -1 || patternDot === -1) return false;
  const label = pattern.slice(0, patternDot);
  const rest = pattern.slice(patternDot);
  if (rest.includes('*') || label.startsWith('xn--') || host.slice(hostDot) !== rest) return false;
  return matchesLabel(host.slice(0, hostDot), label);
}

function matchesLabel(label: string, pattern: string): boolean {
  const [head, tail, more] = pattern.split('*');
  if (tail === undefined || more !== undefined) return false;
  if (head === '' && tail === '') return true;
  return pattern.length <= label.length + 1 && label.startsWith(head) && label.endsWith(tail);
}
