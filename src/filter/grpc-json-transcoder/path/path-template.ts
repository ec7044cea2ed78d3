/** A part of the path that becomes a field. */
export interface TemplateVariable {
  /** `author.name` as `['author', 'name']`. */
  readonly fieldPath: readonly string[];
  /** Segments `[start, end)`; a negative end counts from behind the path's last one: -1 is the end. */
  readonly start: number;
  readonly end: number;
}

/** A path of a google.api.http annotation, read. */
export interface PathTemplate {
  /** `*`: any one segment; `**`: any number of them. */
  readonly segments: readonly string[];
  /** Behind the colon; empty: none. */
  readonly verb: string;
  readonly variables: readonly TemplateVariable[];
}

/**
 * Reads `/v1/{name=shelves/*}/books:verb` (google/api/http.proto, "Path template syntax").
 * @returns null if it is none: Envoy then refuses the method
 */
export function parsePathTemplate(text: string): PathTemplate | null {
  if (text === '/') return { segments: [], verb: '', variables: [] };
  const parser = new TemplateParser(text);
  return parser.parse() ? parser.template() : null;
}

interface OpenVariable {
  fieldPath: readonly string[];
  start: number;
  end: number;
  isOpenEnded: boolean;
}

class TemplateParser {
  private readonly text: string;
  private at: number;
  private readonly segments: string[];
  private readonly variables: OpenVariable[];
  private verb: string;

  constructor(text: string) {
    this.text = text;
    this.at = 0;
    this.segments = [];
    this.variables = [];
    this.verb = '';
  }

  parse(): boolean {
    if (!this.skip('/') || !this.parseSegments(null)) return false;
    if (this.skip(':')) {
      const verb = this.literal();
      if (verb === '') return false;
      this.verb = verb;
    }
    return this.at === this.text.length && this.isDecidable();
  }

  template(): PathTemplate {
    const variables = this.variables.map(({ fieldPath, start, end, isOpenEnded }) => ({
      fieldPath,
      start,
      end: isOpenEnded ? end - this.segments.length - 1 : end,
    }));
    return { segments: this.segments, verb: this.verb, variables };
  }

  /** Behind `**` only literals, so that there is one way to match. */
  private isDecidable(): boolean {
    const rest = this.segments.indexOf('**');
    return rest < 0 || this.segments.slice(rest + 1).every((segment) => segment !== '*' && segment !== '**');
  }

  private parseSegments(variable: OpenVariable | null): boolean {
    do {
      if (!this.parseSegment(variable)) return false;
    } while (this.skip('/'));
    return true;
  }

  private parseSegment(variable: OpenVariable | null): boolean {
    if (this.skip('*')) {
      const isRest = this.skip('*');
      this.segments.push(isRest ? '**' : '*');
      if (isRest && variable !== null) variable.isOpenEnded = true;
      return true;
    }
    // A variable within a variable is nothing.
    if (this.text[this.at] === '{') return variable === null && this.parseVariable();
    const literal = this.literal();
    if (literal === '') return false;
    this.segments.push(literal);
    return true;
  }

  private parseVariable(): boolean {
    this.at++;
    const end = this.text.slice(this.at).search(/[=}]/);
    const path = end < 0 ? '' : this.text.slice(this.at, this.at + end);
    const fieldPath = path.split('.');
    if (fieldPath.includes('')) return false;
    this.at += end;
    const variable: OpenVariable = { fieldPath, start: this.segments.length, end: 0, isOpenEnded: false };
    this.variables.push(variable);
    if (!this.skip('=')) this.segments.push('*');
    else if (!this.parseSegments(variable)) return false;
    variable.end = this.segments.length;
    return this.skip('}');
  }

  private literal(): string {
    const length = this.text.slice(this.at).search(/[/:}]|$/);
    const literal = this.text.slice(this.at, this.at + length);
    this.at += length;
    return literal;
  }

  private skip(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }
}
