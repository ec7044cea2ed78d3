/**
 * What protobuf's JSON writer escapes: controls, quotes and backslashes, `<` and `>`, and what is invisible. Found out
 * by printing every character on Envoy 1.39.
 */
const escaped =
  // oxlint-disable-next-line no-control-regex
  /["\\<>\x00-\x1f\x7f-\x9f\xad\u0600-\u0603\u06dd\u070f\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/gu;
const isEscaped = new RegExp(escaped.source, 'u');

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** `text` as the inside of a JSON string. */
export function escapeJson(text: string): string {
  return isEscaped.test(text) ? text.replace(escaped, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  let text = '';
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return text;
}

/** Builds JSON text, on one line or with a space per level, as protobuf's `add_whitespace`. */
export class JsonText {
  text: string;
  private readonly isSpaced: boolean;
  private depth: number;
  /** The innermost object or array has nothing in it yet. */
  private isFirst: boolean;

  constructor(isSpaced: boolean) {
    this.text = '';
    this.isSpaced = isSpaced;
    this.depth = 0;
    this.isFirst = true;
  }

  open(bracket: '{' | '['): void {
    this.text += bracket;
    this.depth++;
    this.isFirst = true;
  }

  close(bracket: '}' | ']'): void {
    this.depth--;
    if (!this.isFirst && this.isSpaced) this.breakLine();
    this.text += bracket;
    this.isFirst = false;
  }

  /** Before each value of an array. */
  next(): void {
    if (!this.isFirst) this.text += ',';
    this.isFirst = false;
    if (this.isSpaced) this.breakLine();
  }

  /** Before each value of an object. `key`: `"name":`. */
  member(key: string): void {
    this.next();
    this.text += key;
    if (this.isSpaced) this.text += ' ';
  }

  /** The document is complete. */
  finish(): void {
    if (this.isSpaced) this.text += '\n';
  }

  private breakLine(): void {
    this.text += `\n${' '.repeat(this.depth)}`;
  }
}
