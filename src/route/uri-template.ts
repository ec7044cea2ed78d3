import { Regex } from './regex.ts';

// Limits and character sets of Envoy's uri_template_lib; what 1.39 changed (`*` and `=` in literals, literals beside a
// variable) was observed.
const variablesMax = 5;
const variableNameMax = 16;
const literalChars = "a-zA-Z0-9-._~%!$&'()+,;:@*=";
const pathGlob = `[${literalChars}]+`;
const textGlob = `[${literalChars}/]*`;
const literal = new RegExp(`^[${literalChars}]+$`);
const rewriteLiteral = new RegExp(`^[${literalChars}/]+$`);
const variableName = /^[a-zA-Z][a-zA-Z0-9_]*$/;

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'pathGlob' | 'textGlob' }
  | { readonly kind: 'variable'; readonly name: string; readonly parts: readonly Part[] };

/** What is wrong with a template; thrown and caught inside this file only. */
class Invalid extends Error {}

/** Why Envoy would refuse the template, or null. */
export function templateProblem(template: string): string | null {
  return problemOf(() => parseTemplate(template));
}

/** Why Envoy would refuse `rewrite` beside a template that is valid, or null. */
export function rewriteProblem(rewrite: string, template: string): string | null {
  const problem = problemOf(() => parseRewrite(rewrite));
  if (problem !== null) return `path_rewrite_policy.path_template_rewrite ${rewrite} is invalid: ${problem}`;
  const names = variablesOf(parseTemplate(template));
  const isKnown = parseRewrite(rewrite).every((segment) => !segment.isVariable || names.includes(segment.text));
  return isKnown
    ? null
    : `mismatch between variables in path_match_policy ${template} and path_rewrite_policy ${rewrite}`;
}

function problemOf(parse: () => unknown): string | null {
  try {
    parse();
    return null;
  } catch (error) {
    if (error instanceof Invalid) return error.message;
    throw error;
  }
}

/** `envoy.path.match.uri_template`: `/a/{x}/*`, where `*` is one segment, `**` any number, and `{x=…}` a name for it. */
export class UriTemplate {
  private readonly regex: Regex | null;
  private readonly names: readonly string[];

  /** `template` has passed `templateProblem`. */
  constructor(template: string) {
    const segments = parseTemplate(template);
    const pattern = `/${segments.map((parts) => parts.map(partPattern).join('')).join('/')}`;
    // Envoy does not quote `*` in literals, so that some templates make no regular expression; those match nothing.
    this.regex = /\*\*/.test(pattern) ? null : new Regex(pattern);
    this.names = variablesOf(segments);
  }

  /** `path` without query. */
  matches(path: string): boolean {
    return this.regex !== null && this.regex.matches(path);
  }

  /** `path` rewritten, or null where it does not match. */
  rewrite(path: string, rewrite: TemplateRewrite): string | null {
    const captures = this.regex === null ? null : this.regex.captures(path);
    return captures === null ? null : rewrite.apply(this.names, captures);
  }
}

/** `envoy.path.rewrite.uri_template`: `/b/{x}`. */
export class TemplateRewrite {
  private readonly segments: readonly RewriteSegment[];

  constructor(rewrite: string) {
    this.segments = parseRewrite(rewrite);
  }

  apply(names: readonly string[], captures: readonly (string | null | undefined)[]): string {
    let path = '';
    for (const { text, isVariable } of this.segments) {
      path += isVariable ? (captures[names.indexOf(text) + 1] ?? '') : text;
    }
    return path;
  }
}

interface RewriteSegment {
  readonly text: string;
  readonly isVariable: boolean;
}

function parseTemplate(template: string): Part[][] {
  if (!/^\/[!-~]*$/.test(template)) throw new Invalid(`Invalid pattern: "${template}"`);
  const segments: Part[][] = [];
  let rest = template.slice(1);
  while (rest !== '') {
    const [parts, behind] = segment(rest);
    segments.push(parts);
    if (behind === '/') segments.push([]);
    rest = behind.slice(1);
  }
  checkVariables(segments);
  checkGlobs(segments.flat());
  return segments;
}

/** One segment, and what is left behind it: nothing, or text that begins with `/`. */
function segment(text: string): [Part[], string] {
  if (text[0] === '*') return globSegment(text);
  if (text[0] === '{') {
    const close = text.indexOf('}');
    if (close < 0) throw new Invalid(`Unmatched variable bracket in mixed pattern: "${text}"`);
    const end = endOfSegment(text, close + 1);
    const parts: Part[] = [variable(text.slice(1, close))];
    return [parts.concat(suffix(text.slice(close + 1, end))), text.slice(end)];
  }
  const end = endOfSegment(text, 0);
  const own = text.slice(0, end);
  const open = own.indexOf('{');
  const close = own.indexOf('}', open + 1);
  if (open < 0 || close < 0) return [[literalPart(own)], text.slice(end)];
  const parts: Part[] = [literalPart(own.slice(0, open)), variable(own.slice(open + 1, close))];
  return [parts.concat(suffix(own.slice(close + 1))), text.slice(end)];
}

/** An operator may be followed by a literal, and then by nothing more. */
function globSegment(text: string): [Part[], string] {
  const isText = text.startsWith('**');
  const glob: Part = { kind: isText ? 'textGlob' : 'pathGlob' };
  const rest = text.slice(isText ? 2 : 1);
  if (rest === '' || rest[0] === '/') return [[glob], rest];
  const end = endOfSegment(rest, 0);
  const parts: Part[] = [glob, literalPart(rest.slice(0, end))];
  if (end < rest.length) throw new Invalid('Prefix match not supported.');
  return [parts, ''];
}

function endOfSegment(text: string, from: number): number {
  const slash = text.indexOf('/', from);
  return slash < 0 ? text.length : slash;
}

function literalPart(text: string): Part {
  if (!literal.test(text)) throw new Invalid(`Invalid literal: "${text}"`);
  return { kind: 'literal', text };
}

function suffix(text: string): Part[] {
  if (text === '') return [];
  if (!literal.test(text)) throw new Invalid(`Invalid suffix literal: "${text}"`);
  return [{ kind: 'literal', text }];
}

/** `x` or `x=a/*`, the inside of the braces. */
function variable(text: string): Part {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (!variableName.test(name)) throw new Invalid(`Invalid variable name: "${name}"`);
  if (equals < 0) return { kind: 'variable', name, parts: [] };
  let rest = text.slice(equals + 1);
  if (rest === '') throw new Invalid('Empty variable match');
  const parts: Part[] = [];
  for (;;) {
    const operator = /^\*\*?/.exec(rest);
    const length = operator === null ? endOfSegment(rest, 0) : operator[0].length;
    if (operator === null) parts.push(literalPart(rest.slice(0, length)));
    else parts.push({ kind: length === 2 ? 'textGlob' : 'pathGlob' });
    rest = rest.slice(length);
    if (rest === '') return { kind: 'variable', name, parts };
    if (rest[0] !== '/' || rest.length === 1) throw new Invalid(`Invalid variable match: "${rest}"`);
    rest = rest.slice(1);
  }
}

function variablesOf(segments: readonly (readonly Part[])[]): string[] {
  return segments.flat().flatMap((part) => (part.kind === 'variable' ? [part.name] : []));
}

function checkVariables(segments: readonly (readonly Part[])[]): void {
  const seen = new Set<string>();
  for (const name of variablesOf(segments)) {
    if (seen.size >= variablesMax) throw new Invalid(`Exceeded variable count limit (${variablesMax})`);
    if (name.length > variableNameMax) {
      throw new Invalid(
        `Invalid variable name length (length of "${name}" should be at least 1 and no more than ${variableNameMax})`,
      );
    }
    if (seen.has(name)) throw new Invalid(`Repeated variable name: "${name}"`);
    seen.add(name);
  }
}

/** Nothing that matches freely may follow `**`. */
function checkGlobs(parts: readonly Part[]): void {
  let seenTextGlob = false;
  for (const part of parts.flatMap((part) =>
    part.kind === 'variable' && part.parts.length > 0 ? part.parts : [part],
  )) {
    if (part.kind === 'literal') continue;
    if (seenTextGlob) {
      throw new Invalid(
        part.kind === 'variable' ? 'Implicit variable path glob after text glob.' : 'Glob after text glob.',
      );
    }
    seenTextGlob = part.kind === 'textGlob';
  }
}

function partPattern(part: Part): string {
  switch (part.kind) {
    case 'literal':
      return part.text.replace(/[$()+.]/g, '\\$&');
    case 'pathGlob':
      return pathGlob;
    case 'textGlob':
      return textGlob;
    case 'variable':
      return `(?P<${part.name}>${part.parts.length === 0 ? pathGlob : part.parts.map(partPattern).join('/')})`;
  }
}

function parseRewrite(rewrite: string): RewriteSegment[] {
  if (rewrite[0] !== '/') throw new Invalid('Invalid rewrite variable placement');
  if (rewrite.includes('//')) throw new Invalid('Invalid rewrite literal');
  const segments: RewriteSegment[] = [];
  for (let rest = rewrite; rest !== '';) {
    const open = rest.indexOf('{');
    const text = open < 0 ? rest : rest.slice(0, open);
    if (text !== '') {
      if (!rewriteLiteral.test(text)) throw new Invalid('Invalid rewrite literal pattern');
      segments.push({ text, isVariable: false });
    }
    if (open < 0) break;
    const close = rest.indexOf('}', open);
    if (close < 0) throw new Invalid('Unmatched variable bracket');
    const name = rest.slice(open + 1, close);
    if (!variableName.test(name)) throw new Invalid('Invalid variable name');
    segments.push({ text: name, isVariable: true });
    rest = rest.slice(close + 1);
  }
  return segments;
}
