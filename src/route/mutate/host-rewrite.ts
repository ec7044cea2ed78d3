import { isFieldValue } from '../../core/field-value.ts';
import type { RequestHead } from '../../core/head.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { pathOnly } from '../path.ts';
import { Regex } from '../regex.ts';
import { Substitution } from '../regex/substitution.ts';
import type { HostRewriteData } from '../route-data.ts';
import type { FormatCompiler } from '../route.ts';

/** The authority that a request gets; empty: it keeps its own. */
export interface HostRewrite {
  authority(head: RequestHead, outcome: Outcome): string;
}

class LiteralHost implements HostRewrite {
  private readonly value: string;

  constructor(value: string) {
    this.value = value;
  }

  authority(): string {
    return this.value;
  }
}

class HeaderHost implements HostRewrite {
  private readonly header: string;

  constructor(header: string) {
    this.header = header;
  }

  authority(head: RequestHead): string {
    return head.get(this.header) ?? '';
  }
}

class PathRegexHost implements HostRewrite {
  private readonly regex: Regex;
  private readonly substitution: Substitution;

  constructor(pattern: string, substitution: string) {
    this.regex = new Regex(pattern);
    this.substitution = new Substitution(substitution);
  }

  authority(head: RequestHead): string {
    return this.regex.replaceAll(pathOnly(head.path), this.substitution);
  }
}

class FormatHost implements HostRewrite {
  private readonly formatter: Formatter;

  constructor(formatter: Formatter) {
    this.formatter = formatter;
  }

  authority(_head: RequestHead, outcome: Outcome): string {
    const authority = this.formatter.format(outcome);
    if (isFieldValue(authority)) return authority;
    outcome.invalidField = ':authority';
    return '';
  }
}

export function buildHostRewrite(data: HostRewriteData, compile: FormatCompiler): HostRewrite {
  switch (data.kind) {
    case 'literal':
      return new LiteralHost(data.value);
    case 'header':
      return new HeaderHost(data.header);
    case 'pathRegex':
      return new PathRegexHost(data.pattern, data.substitution);
    case 'format':
      // Envoy prints `-` for what is missing here, unlike in a path.
      return new FormatHost(compile(data.format, false));
  }
}
