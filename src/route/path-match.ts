import { Regex } from './regex.ts';
import { literalPrefix } from './regex/literal-prefix.ts';
import type { PathMatchData } from './route-data.ts';
import { UriTemplate } from './uri-template.ts';
import { lowerAscii } from './wire-text.ts';

const PathKind = { Prefix: 0, Exact: 1, SeparatedPrefix: 2, Regex: 3, Template: 4, Connect: 5 } as const;
const pathKinds: Readonly<Record<PathMatchData['kind'], number>> = {
  prefix: PathKind.Prefix,
  exact: PathKind.Exact,
  separatedPrefix: PathKind.SeparatedPrefix,
  regex: PathKind.Regex,
  template: PathKind.Template,
  connect: PathKind.Connect,
};

const slash = 47;

/** Which paths a route, or whatever is configured with a RouteMatch, is about. */
export class PathMatch {
  private readonly kind: number;
  private readonly value: string;
  private readonly foldsCase: boolean;
  private readonly regex: Regex | null;
  private readonly template: UriTemplate | null;

  constructor({ kind, value, caseSensitive }: PathMatchData) {
    this.kind = pathKinds[kind];
    this.value = caseSensitive ? value : lowerAscii(value);
    this.foldsCase = !caseSensitive;
    this.regex = kind === 'regex' ? new Regex(value) : null;
    this.template = kind === 'template' ? new UriTemplate(value) : null;
  }

  /** What every path that matches begins with, for an index; null: nothing certain. */
  get literal(): string | null {
    if (this.foldsCase) return null;
    switch (this.kind) {
      case PathKind.Prefix:
      case PathKind.Exact:
      case PathKind.SeparatedPrefix:
        return this.value;
      case PathKind.Regex:
        return literalPrefix(this.value);
      default:
        return null;
    }
  }

  /** `path`: without query, and without path parameters where those are ignored; `ownPath`: with them. */
  matches(path: string, ownPath: string, method: string): boolean {
    const { value } = this;
    if (this.kind === PathKind.Connect) return method === 'CONNECT';
    if (path === '') return false;
    const subject = this.foldsCase ? lowerAscii(path) : path;
    switch (this.kind) {
      case PathKind.Prefix:
        return subject.startsWith(value);
      case PathKind.Exact:
        return subject === value;
      case PathKind.SeparatedPrefix:
        return (
          subject.startsWith(value) && (subject.length === value.length || subject.charCodeAt(value.length) === slash)
        );
      case PathKind.Regex:
        return this.regex!.matches(path);
      default:
        return this.template!.matches(ownPath);
    }
  }

  /** As `matches`, of a path that begins with `literal`. */
  matchesBeyondLiteral(path: string, ownPath: string, method: string): boolean {
    const isKnown = this.kind === PathKind.Prefix && !this.foldsCase && path !== '';
    return isKnown || this.matches(path, ownPath, method);
  }
}
