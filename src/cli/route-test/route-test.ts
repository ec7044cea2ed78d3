import { readFileSync } from 'node:fs';
import { readConfig, type ConfigDocument } from '../../config/document.ts';
import { formatProblem, problemToJson } from '../../config/format-problem.ts';
import { place } from '../../config/place.ts';
import type { ConfigReason } from '../../config/problem.ts';
import { extensionKinds } from '../../control/extension-kinds.ts';
import type { ExtensionTable } from '../../control/extension-table.ts';
import { Reasons } from '../../core/rejection.ts';
import type { RouteConfigurationData } from '../../route/route-data.ts';
import { CaseRuntime } from './case-runtime.ts';
import { Coverage } from './coverage.ts';
import { Decision } from './decision.ts';
import { jsonOf, textOf, type CaseResult, type RouteTestReport } from './report.ts';
import { decodeRouteCases, type RouteCases } from './route-case-decode.ts';
import { decodeRouteTables, type FoundTable } from './route-table-decode.ts';
import { TestedTable } from './tested-table.ts';
import { readTextProto, TextProtoError } from './text-proto.ts';
import { judge } from './verdict.ts';

/** What `sekisho route-test` is told. */
export interface RouteTestInvocation {
  /** A RouteConfiguration, or a bootstrap that holds some. */
  readonly configPath: string;
  readonly testPath: string;
  /** Which one of a bootstrap's; null: its only one. */
  readonly routeConfig: string | null;
  readonly format: 'text' | 'json';
  readonly showsAll: boolean;
  /** Percent; 0: any coverage will do. */
  readonly failUnder: number;
  /** The coverage counts every field of a route, not every route. */
  readonly coversFields: boolean;
  readonly showsMissing: boolean;
  readonly showsDeprecated: boolean;
}

export interface RouteTestEnvironment {
  readonly extensions: ExtensionTable;
  /** To standard output. */
  write(text: string): void;
  readonly hasColor: boolean;
}

/** What stands in the way of testing: a file and what is wrong with it. */
class Refusal {
  readonly document: ConfigDocument;
  readonly reasons: readonly ConfigReason[];

  constructor(document: ConfigDocument, reasons: readonly ConfigReason[]) {
    this.document = document;
    this.reasons = reasons;
  }
}

/** Asks a route table what every test asks. @returns the exit status: 1 when a test fails, or too little is covered */
export async function routeTest(invocation: RouteTestInvocation, environment: RouteTestEnvironment): Promise<0 | 1> {
  const tests = readTests(invocation.testPath);
  if (tests instanceof Refusal) return refuse(tests, invocation, environment);
  const config = readConfig({ path: invocation.configPath });
  const tables = await readTables(config, tests, environment);
  const chosen = tables instanceof Refusal ? tables : choose(tables, config, invocation);
  if (chosen instanceof Refusal) return refuse(chosen, invocation, environment);
  const warnings = invocation.showsDeprecated ? place(chosen.reasons, config) : [];
  const report = run(chosen, config, tests, invocation);
  if (invocation.format === 'json') {
    const whole = { ...jsonOf(report, invocation), warnings: warnings.map(problemToJson) };
    environment.write(`${JSON.stringify(whole, null, 2)}\n`);
  } else {
    for (const warning of warnings) environment.write(`${formatProblem(warning, config, environment)}\n\n`);
    environment.write(textOf(report, invocation));
  }
  return report.failed > 0 || report.coverage < invocation.failUnder ? 1 : 0;
}

function refuse({ document, reasons }: Refusal, { format }: RouteTestInvocation, environment: RouteTestEnvironment): 1 {
  const problems = place(reasons, document);
  if (format === 'json') environment.write(`${JSON.stringify({ problems: problems.map(problemToJson) }, null, 2)}\n`);
  else for (const problem of problems) environment.write(`${formatProblem(problem, document, environment)}\n\n`);
  return 1;
}

function readTests(path: string): RouteCases | Refusal {
  const document = readDocument(path);
  const reasons = new Reasons();
  if (document.reasons.length > 0) return new Refusal(document, document.reasons);
  const tests = decodeRouteCases(document, reasons);
  return reasons.isEmpty ? tests : new Refusal(document, reasons.list);
}

/** By the file's name, as Envoy's tool decides. */
function readDocument(path: string): ConfigDocument {
  if (!path.endsWith('.pb_text')) return readConfig({ path });
  const none = { path, value: null, override: null };
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
    return { ...none, text, value: readTextProto(text), reasons: [] };
  } catch (error) {
    const offset = error instanceof TextProtoError ? error.offset : -1;
    return { ...none, text, reasons: [{ path: '', message: (error as Error).message, offset }] };
  }
}

type AcceptedTable = FoundTable & { readonly data: RouteConfigurationData };

async function readTables(
  document: ConfigDocument,
  { runtime }: RouteCases,
  { extensions }: RouteTestEnvironment,
): Promise<AcceptedTable[] | Refusal> {
  if (document.reasons.length > 0) return new Refusal(document, document.reasons);
  await extensions.load(extensionKinds(document.value));
  const programSize = runtime['re2.max_program_size.error_level'];
  const tables = decodeRouteTables(document, extensions, typeof programSize === 'number' ? programSize : undefined);
  const accepted = tables.flatMap(({ data, ...rest }) => (data === null ? [] : [{ ...rest, data }]));
  if (accepted.length === tables.length) return accepted;
  return new Refusal(
    document,
    tables.flatMap(({ reasons }) => reasons),
  );
}

function choose(
  tables: readonly AcceptedTable[],
  document: ConfigDocument,
  { routeConfig }: RouteTestInvocation,
): AcceptedTable | Refusal {
  const fitting = routeConfig === null ? tables : tables.filter(({ data }) => data.name === routeConfig);
  if (fitting.length === 1) return fitting[0];
  const names = tables.map(({ data }) => `'${data.name}'`).join(', ');
  const what =
    tables.length === 0
      ? 'there is no route_config'
      : fitting.length === 0
        ? `there is no route_config '${routeConfig}', but ${names}`
        : `there is more than one route_config (${names}): name one by --route-config`;
  return new Refusal(document, [{ path: '', message: what }]);
}

function run(
  { path, data }: AcceptedTable,
  document: ConfigDocument,
  { cases, runtime: numbers }: RouteCases,
  { coversFields }: RouteTestInvocation,
): RouteTestReport {
  const runtime = new CaseRuntime(numbers);
  const tested = new TestedTable(data, runtime);
  const coverage = new Coverage(tested.routes);
  const prefix = path === '' ? '' : `${path}.`;
  const results = cases.map((one): CaseResult => {
    runtime.take(one.input);
    const decision = new Decision(tested, one.input);
    const { failures, seen } = judge(one.expected, decision);
    if (decision.tested !== null) coverage.add(decision.tested, decision.texts.cluster_name, seen);
    return { name: one.name, failures, decision };
  });
  return {
    results,
    failed: results.filter(({ failures }) => failures.length > 0).length,
    coverage: coversFields ? coverage.ofFields : coverage.ofRoutes,
    missing: coverage.missing,
    places: placesOf(tested, prefix, document),
  };
}

/** Path of a route in its table → `file:line:column`. */
function placesOf(tested: TestedTable, prefix: string, document: ConfigDocument): Map<string, string> {
  const reasons = tested.routes.map(({ path }) => ({ path: prefix + path, message: '' }));
  const placed = place(reasons, document);
  return new Map(
    placed.map(({ path, file, line, column }) => [path.slice(prefix.length), `${file}:${line}:${column}`] as const),
  );
}
