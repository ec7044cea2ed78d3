/**
 * RE2's rewrite string: `\0`–`\9` are groups, `\\` a backslash. As in RE2, an unknown escape ends the text there, and a
 * group that the pattern does not have makes the whole replacement void.
 */
export class Substitution {
  /** Alternately text and group number, starting with text. */
  private readonly texts: readonly string[];
  private readonly groups: readonly number[];
  readonly highestGroup: number;

  constructor(rewrite: string) {
    const texts: string[] = [];
    const groups: number[] = [];
    let text = '';
    for (let i = 0; i < rewrite.length; i++) {
      const char = rewrite[i];
      if (char !== '\\') {
        text += char;
        continue;
      }
      const next = rewrite.charCodeAt(++i);
      if (next >= 48 && next <= 57) {
        texts.push(text);
        groups.push(next - 48);
        text = '';
      } else if (next === 92) text += '\\';
      else break;
    }
    texts.push(text);
    this.texts = texts;
    this.groups = groups;
    this.highestGroup = groups.length === 0 ? 0 : Math.max(...groups);
  }

  apply(captures: readonly (string | null | undefined)[]): string {
    let result = this.texts[0];
    for (let i = 0; i < this.groups.length; i++) result += (captures[this.groups[i]] ?? '') + this.texts[i + 1];
    return result;
  }
}
