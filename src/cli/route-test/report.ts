import type { Decision } from './decision.ts';
import type { RouteTestInvocation } from './route-test.ts';
import type { TestedRoute } from './tested-table.ts';
import type { CaseFailure } from './verdict.ts';

export interface CaseResult {
  readonly name: string;
  readonly failures: readonly CaseFailure[];
  readonly decision: Decision;
}

export interface RouteTestReport {
  readonly results: readonly CaseResult[];
  readonly failed: number;
  /** Percent. */
  readonly coverage: number;
  /** Routes that no test has seen. */
  readonly missing: readonly TestedRoute[];
  /** Path of a route in its table → `file:line:column`. */
  readonly places: ReadonlyMap<string, string>;
}

/** For people. The lines about what failed, what is covered and what is missing are those of Envoy's checker. */
export function textOf(report: RouteTestReport, invocation: RouteTestInvocation): string {
  const { results, failed, coverage, missing } = report;
  const shown = invocation.showsAll ? results : results.filter(({ failures }) => failures.length > 0);
  const lines = shown.flatMap((result) => [
    result.name,
    ...result.failures.map(failureText),
    ...(result.failures.length === 0 ? [] : [`  ${routeText(result.decision, report)}`]),
  ]);
  if (failed > 0) lines.push(`${failed} of ${results.length} tests failed`);
  else lines.push(`${results.length} test${results.length === 1 ? '' : 's'} passed`);
  if (invocation.showsMissing || invocation.coversFields)
    lines.push(...missing.map((route) => missingText(route, report)));
  lines.push(`Current route coverage: ${percent(coverage)}`);
  if (coverage < invocation.failUnder)
    lines.push(`Failed to meet coverage requirement: ${percent(invocation.failUnder)}`);
  return `${lines.join('\n')}\n`;
}

function failureText({ type, expected, actual, isInverted }: CaseFailure): string {
  const wanted = expected === null ? '' : `expected: [${expected}], `;
  return `${wanted}actual: ${isInverted ? 'NOT ' : ''}[${actual}], test type: ${type}`;
}

/** As a C++ stream prints it: six digits at most. */
function percent(value: number): string {
  return `${Number(value.toPrecision(6))}%`;
}

function routeText({ route, tested, texts, code }: Decision, { places }: RouteTestReport): string {
  if (route === null) return 'no route matches';
  if (tested === null) return `virtual host '${route.virtualHostName}' requires TLS: ${code} to ${texts.path_redirect}`;
  return `route: ${describe(tested)} at ${places.get(tested.path)}`;
}

function missingText(route: TestedRoute, { places }: RouteTestReport): string {
  const { name } = route.data;
  const which = name === '' ? describe(route) : `route name: ${name}`;
  return `Missing test for host: ${route.virtualHost.name}, ${which} at ${places.get(route.path)}`;
}

const pathNames = {
  prefix: 'prefix',
  exact: 'path',
  separatedPrefix: 'path_separated_prefix',
  regex: 'safe_regex',
  template: 'path_match_policy',
  connect: 'connect_matcher',
} as const;

/** By its name, else by what path it matches. */
function describe({ data }: TestedRoute): string {
  const { kind, value } = data.path;
  return data.name === '' ? `${pathNames[kind]}: ${JSON.stringify(value)}` : `'${data.name}'`;
}

/** For programs. */
export function jsonOf(report: RouteTestReport, { failUnder }: RouteTestInvocation): Record<string, unknown> {
  return {
    tests: report.results.map(({ name, failures, decision }) => ({
      test_name: name,
      passed: failures.length === 0,
      route: jsonRoute(decision.tested, report),
      failures: failures.map(({ type, expected, actual, isInverted }) => ({
        test_type: type,
        ...(expected === null ? {} : { expected }),
        actual,
        ...(isInverted ? { inverted: true } : {}),
      })),
    })),
    failed: report.failed,
    coverage: report.coverage,
    meets_coverage: report.coverage >= failUnder,
    missing: report.missing.map((route) => jsonRoute(route, report)),
  };
}

function jsonRoute(route: TestedRoute | null, { places }: RouteTestReport): Record<string, unknown> | null {
  if (route === null) return null;
  const { virtualHost, data, path } = route;
  return { virtual_host: virtualHost.name, name: data.name, path, place: places.get(path) };
}
