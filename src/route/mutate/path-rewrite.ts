import { isTarget } from '../../core/field-value.ts';
import type { RequestHead } from '../../core/head.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { pathLength } from '../path.ts';
import { Regex } from '../regex.ts';
import { Substitution } from '../regex/substitution.ts';
import type { PathMatchData, PathRewriteData, RedirectPathData } from '../route-data.ts';
import type { FormatCompiler } from '../route.ts';
import { TemplateRewrite, UriTemplate } from '../uri-template.ts';

/** Makes a new path, with the query, out of a request's; empty: the path stays as it is. */
export interface PathRewrite {
  rewrite(path: string, outcome: Outcome): string;
}

/** A rewrite that needs nothing but the path. */
export interface LiteralRewrite extends PathRewrite {
  rewrite(path: string): string;
}

/** Replaces what the route's literal matched, or the whole path where no literal matched. Slashes are not touched. */
class PrefixRewrite implements LiteralRewrite {
  /** -1: all up to the query. */
  private readonly matchedLength: number;
  private readonly replacement: string;

  constructor(matchedLength: number, replacement: string) {
    this.matchedLength = matchedLength;
    this.replacement = replacement;
  }

  rewrite(path: string): string {
    return this.replacement + path.slice(this.matchedLength < 0 ? pathLength(path) : this.matchedLength);
  }
}

class RegexRewrite implements LiteralRewrite {
  private readonly regex: Regex;
  private readonly substitution: Substitution;

  constructor(pattern: string, substitution: string) {
    this.regex = new Regex(pattern);
    this.substitution = new Substitution(substitution);
  }

  rewrite(path: string): string {
    const end = pathLength(path);
    const rewritten = this.regex.replaceAll(path.slice(0, end), this.substitution);
    return rewritten === '' ? '' : rewritten + path.slice(end);
  }
}

class TemplatePathRewrite implements LiteralRewrite {
  private readonly template: UriTemplate;
  private readonly target: TemplateRewrite;

  constructor(template: string, target: string) {
    this.template = new UriTemplate(template);
    this.target = new TemplateRewrite(target);
  }

  rewrite(path: string): string {
    const end = pathLength(path);
    const rewritten = this.template.rewrite(path.slice(0, end), this.target);
    return rewritten === null || rewritten === '' ? '' : rewritten + path.slice(end);
  }
}

class FormatRewrite implements PathRewrite {
  private readonly formatter: Formatter;

  constructor(formatter: Formatter) {
    this.formatter = formatter;
  }

  rewrite(path: string, outcome: Outcome): string {
    const rewritten = this.formatter.format(outcome);
    if (!isTarget(rewritten)) {
      outcome.invalidField = ':path';
      return '';
    }
    return rewritten === '' ? '' : rewritten + path.slice(pathLength(path));
  }
}

/** Literal kinds replace what they matched; the others the whole path. */
function matchedLength(path: PathMatchData): number {
  return path.kind === 'prefix' || path.kind === 'exact' || path.kind === 'separatedPrefix' ? path.value.length : -1;
}

export function buildLiteralRewrite(
  data: { readonly kind: 'prefix' | 'regex' } & (PathRewriteData | RedirectPathData),
  match: PathMatchData,
): LiteralRewrite {
  if (data.kind === 'prefix') return new PrefixRewrite(matchedLength(match), data.value);
  return new RegexRewrite(data.pattern, data.substitution);
}

export function buildPathRewrite(data: PathRewriteData, match: PathMatchData, compile: FormatCompiler): PathRewrite {
  switch (data.kind) {
    case 'prefix':
    case 'regex':
      return buildLiteralRewrite(data, match);
    case 'template':
      return new TemplatePathRewrite(match.value, data.rewrite);
    case 'format':
      return new FormatRewrite(compile(data.format, true));
  }
}

/** Sets a new path and keeps the old one for the upstream and the log. */
export function replacePath(head: RequestHead, path: string, keepOriginal: boolean): void {
  if (keepOriginal) head.headers.set('x-envoy-original-path', head.path);
  head.path = path;
}
