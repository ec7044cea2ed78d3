/** What stays percent-encoded in a part of the path that spans several segments. */
export type Unescape = 'all' | 'all but slash' | 'all but reserved';

/** RFC 6570 reserved characters. */
const reserved = new Set("!#$&'()*+,/:;=?@[]");

/** Decodes wire text; the result is wire text again, a character per byte. */
export function percentDecode(text: string, unescape: Unescape, plusIsSpace = false): string {
  if (!text.includes('%') && !(plusIsSpace && text.includes('+'))) return text;
  const plain = plusIsSpace ? text.replaceAll('+', ' ') : text;
  return plain.replace(/%([0-9a-fA-F]{2})/g, (whole, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    if (unescape === 'all but slash' && character === '/') return whole;
    return unescape === 'all but reserved' && reserved.has(character) ? whole : character;
  });
}
