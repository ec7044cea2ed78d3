import { InvalidArgumentError, Option, type Command } from 'commander';
import type { RouteTestInvocation } from './route-test.ts';

interface RawFlags {
  readonly configPath?: string;
  readonly testPath?: string;
  readonly routeConfig?: string;
  readonly format: 'text' | 'json';
  readonly details?: true;
  readonly onlyShowFailures?: true;
  readonly failUnder: number;
  readonly covall?: true;
  readonly detailedCoverage?: true;
  readonly disableDeprecationCheck?: true;
}

const notes = `
CONFIG is a RouteConfiguration, or a whole configuration, whose one route_config is tested (or the one that
--route-config names). TESTS is YAML, JSON or, where its name ends in .pb_text, protobuf's text format:

  tests:
  - test_name: jason sees red stars
    input:
      authority: bookinfo.example       # required, as path and method are
      path: /reviews/0
      method: GET
      ssl: false                        # x-forwarded-proto
      internal: false                   # x-envoy-internal
      random_value: 0                   # decides between weighted clusters and in runtime fractions
      runtime: some.key                 # the only key that runtime fractions find
      additional_request_headers: [{ key: end-user, value: jason }]
      additional_response_headers: []
      dynamic_metadata: []              # metadata_namespace, value, allow_overwrite
    validate:                           # an empty text: there is none
      cluster_name: reviews-v3
      virtual_cluster_name: ''
      virtual_host_name: bookinfo
      path_rewrite: /reviews/0
      host_rewrite: bookinfo.example
      path_redirect: ''                 # the whole URL
      code_redirect: 301
      timeout: 15s
      route_metadata: []                # namespace, key, value
      request_header_matches: []        # HeaderMatchers; what the upstream is sent
      response_header_matches: []

The status is 1 when a test fails, when too little is covered, and when a file is refused.
`;

/** `sekisho route-test`, with the flags of Envoy's route checker. */
export function addRouteTestCommand(program: Command, found: (invocation: RouteTestInvocation) => void): void {
  const command = program.command('route-test');
  command
    .description("ask a route table what becomes of requests, in the format of Envoy's route checker")
    .usage('[options] CONFIG TESTS')
    .argument('[config]', 'the route table, YAML or JSON')
    .argument('[tests]', 'the tests, YAML, JSON or text protobuf')
    .option('-c, --config-path <path>', "CONFIG, as Envoy's tool takes it")
    .option('-t, --test-path <path>', 'TESTS, likewise')
    .option('--route-config <name>', 'which route_config of a whole configuration')
    .option('-d, --details', 'tell of the tests that pass, too')
    .option('--only-show-failures', 'tell only of the tests that fail (default)')
    .addOption(
      new Option('-f, --fail-under <percent>', 'status 1 when less is covered').argParser(parsePercent).default(0),
    )
    .option('--covall', 'the coverage counts every field that could be asked, and tells what no test has seen')
    .option('--detailed-coverage', 'tell which routes no test has seen')
    .option('--disable-deprecation-check', 'no warnings about deprecated fields')
    .addOption(
      new Option('--format <format>', 'text for people, json for machines').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', notes)
    .action((config: string | undefined, tests: string | undefined, raw: RawFlags) => {
      const [configPath, testPath] = pathsOf(command, [config, tests], raw);
      found({
        configPath,
        testPath,
        routeConfig: raw.routeConfig ?? null,
        format: raw.format,
        showsAll: raw.details === true && raw.onlyShowFailures !== true,
        failUnder: raw.failUnder,
        coversFields: raw.covall === true,
        showsMissing: raw.detailedCoverage === true,
        showsDeprecated: raw.disableDeprecationCheck !== true,
      });
    });
}

/** The two files, each as an argument or by its flag. */
function pathsOf(
  command: Command,
  given: readonly (string | undefined)[],
  { configPath, testPath }: RawFlags,
): readonly [string, string] {
  const places = given.filter((path) => path !== undefined);
  const config = configPath ?? places.shift();
  const tests = testPath ?? places.shift();
  if (config === undefined || tests === undefined || places.length > 0)
    command.error('error: CONFIG and TESTS are needed, each once: sekisho route-test routes.yaml tests.yaml');
  return [config, tests];
}

function parsePercent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100)) throw new InvalidArgumentError('A percentage is needed.');
  return value;
}
