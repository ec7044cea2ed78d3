/**
 * Text of the configuration as certificates hold it: UTF-8, a character per byte. What is compared with their names goes
 * through here once.
 */
export function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A–Z only: `toLowerCase` would change bytes of UTF-8 sequences too. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
