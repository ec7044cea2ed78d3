import { HeaderMatcher, type MatchableHead } from '../../route/match/header-matcher.ts';
import type { Decision } from './decision.ts';
import { expectedTexts, type CaseExpectation, type ExpectedHeader, type ExpectedMetadata } from './route-case.ts';

/** An expectation that was not met. */
export interface CaseFailure {
  /** What was compared, as Envoy's checker calls it. */
  readonly type: string;
  /** Null: no one value was asked for. */
  readonly expected: string | null;
  readonly actual: string;
  /** The expectation was that the value is another. */
  readonly isInverted: boolean;
}

/** A field of the route that a test saw, for the coverage; headers count for none, as in Envoy's checker. */
export type SeenField = (typeof expectedTexts)[number] | 'code_redirect';

export interface Verdict {
  readonly failures: readonly CaseFailure[];
  /** Asked, and as expected. */
  readonly seen: readonly SeenField[];
}

/** Compares what was decided with what was expected. */
export function judge(expected: CaseExpectation, decision: Decision): Verdict {
  const failures: CaseFailure[] = [];
  const seen: SeenField[] = [];
  const compare = (type: string, wanted: string, actual: string): boolean => {
    if (wanted === actual) return true;
    failures.push({ type, expected: wanted, actual, isInverted: false });
    return false;
  };
  for (const name of expectedTexts) {
    const wanted = expected.texts.get(name);
    if (wanted !== undefined && compare(name, wanted, decision.texts[name])) seen.push(name);
  }
  const { codeRedirect, timeoutMs } = expected;
  if (codeRedirect !== null && compare('code_redirect', String(codeRedirect), String(decision.code)))
    seen.push('code_redirect');
  if (timeoutMs !== null) compare('timeout', seconds(timeoutMs), seconds(decision.timeoutMs));
  for (const one of expected.routeMetadata) {
    const name = `${one.namespace}.${one.key}`;
    compare('route_metadata', `${name}: ${one.value}`, `${name}: ${metadataText(one, decision)}`);
  }
  failures.push(
    ...expected.requestHeaders.flatMap((header) => headerFailures(header, decision.request)),
    ...expected.responseHeaders.flatMap((header) => headerFailures(header, decision.response)),
  );
  return { failures, seen };
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

function metadataText({ namespace, key }: ExpectedMetadata, { route }: Decision): string {
  const struct = route?.metadata?.[namespace];
  const value = typeof struct === 'object' && struct !== null ? (struct as Record<string, unknown>)[key] : undefined;
  if (value === undefined) return 'NULL';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function headerFailures(header: ExpectedHeader, head: MatchableHead): CaseFailure[] {
  const { matcher, name, type } = header;
  if (new HeaderMatcher(matcher).matches(head)) return [];
  const found = head.get(matcher.name);
  if (matcher.test.kind === 'present') {
    const wanted = matcher.test.present !== matcher.invert;
    return [{ type, expected: `has(${name}):${wanted}`, actual: `has(${name}):${!wanted}`, isInverted: false }];
  }
  const actual = `${name}: ${found ?? 'NULL'}`;
  if (header.exact === null) return [{ type, expected: null, actual, isInverted: false }];
  return [{ type, expected: `${name}: ${header.exact}`, actual, isInverted: matcher.invert }];
}
