import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readCommandLine } from '../../../../src/cli/command-line.ts';
import { routeTest } from '../../../../src/cli/route-test/route-test.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { extensionEntries } from '../../../../src/extensions.ts';

/** The command on two texts, `routes.yaml` and `tests.yaml`. */
async function run(routes: string, tests: string, ...flags: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-route-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = [join(folder, 'routes.yaml'), join(folder, 'tests.yaml')];
  writeFileSync(files[0], routes);
  writeFileSync(files[1], tests);
  const invocation = readCommandLine(['route-test', ...files, ...flags], '');
  if (invocation.command !== 'route-test') throw new Error(JSON.stringify(invocation));
  let output = '';
  const write = (text: string): void => void (output += text);
  const extensions = new ExtensionTable(extensionEntries);
  const status = await routeTest(invocation.routeTest, { extensions, write, hasColor: false });
  return { status, output: output.replaceAll(`${folder}/`, '') };
}

const table = (routes: string): string => `virtual_hosts:\n- name: v\n  domains: ['*']\n  routes:\n  ${routes}\n`;
const toA = table('- { match: { prefix: / }, route: { cluster: a } }');
/** A test of `GET h/x`. */
const asks = (validate: string, input = ''): string =>
  `tests: [{ test_name: one, input: { authority: h, path: /x, method: GET, ${input} }, validate: { ${validate} } }]`;

describe('what is reported', () => {
  test('of a test that fails: what was expected, what came, and from which route', async () => {
    expect(await run(toA, asks('cluster_name: b, host_rewrite: h'))).toEqual({
      status: 1,
      output:
        'one\nexpected: [b], actual: [a], test type: cluster_name\n  route: prefix: "/" at routes.yaml:5:5\n' +
        '1 of 1 tests failed\nCurrent route coverage: 100%\n',
    });
  });

  test('where no route matches', async () => {
    const { output } = await run(table('- { match: { path: /y }, redirect: {} }'), asks('code_redirect: 301'));
    expect(output).toContain('expected: [301], actual: [0], test type: code_redirect\n  no route matches\n');
  });

  test('where the virtual host asks for TLS', async () => {
    const routes = toA.replace('domains', 'require_tls: ALL\n  domains');
    const { output } = await run(routes, asks('cluster_name: a'));
    expect(output).toContain("virtual host 'v' requires TLS: 301 to https://h/x\n");
    expect((await run(routes, asks('cluster_name: a', 'ssl: true'))).status).toBe(0);
  });

  test('for programs', async () => {
    const { output, status } = await run(toA, asks('cluster_name: b'), '--format', 'json', '-f', '50');
    expect(status).toBe(1);
    const place = 'routes.yaml:5:5';
    const route = { virtual_host: 'v', name: '', path: 'virtual_hosts[0].routes[0]', place };
    const failures = [{ test_type: 'cluster_name', expected: 'b', actual: 'a' }];
    expect(JSON.parse(output)).toEqual({
      tests: [{ test_name: 'one', passed: false, route, failures }],
      failed: 1,
      coverage: 0,
      meets_coverage: false,
      missing: [route],
      warnings: [],
    });
  });

  test('of deprecated fields, unless they are not asked for', async () => {
    const routes = table('- { match: { prefix: /, headers: [{ name: a, exact_match: b }] }, route: { cluster: a } }');
    const tests = asks('cluster_name: a', 'additional_request_headers: [{ key: A, value: b }]');
    expect((await run(routes, tests)).output).toContain('warning: ');
    expect((await run(routes, tests, '--disable-deprecation-check')).output).toMatch(/^1 test passed/);
  });
});

describe('what is asked', () => {
  test.each([
    ['a timeout', '{ cluster: a, timeout: 2.5s }', 'timeout: 2.5s', ''],
    ['the default timeout', '{ cluster: a }', 'timeout: 15s', ''],
    [
      'a cluster by weight',
      '{ weighted_clusters: { clusters: [{ name: a, weight: 3 }, { name: b, weight: 4 }] } }',
      'cluster_name: b',
      'random_value: 10',
    ],
    [
      'a header by its old form',
      '{ cluster: a }',
      'request_header_fields: [{ key: X-Forwarded-Proto, value: http }]',
      '',
    ],
    ['a header that is not there', '{ cluster: a }', 'response_header_fields: [{ key: x, value: "" }]', ''],
    [
      'a header of the answer',
      '{ cluster: a }',
      'response_header_matches: [{ name: A, string_match: { prefix: b } }]',
      'additional_response_headers: [{ key: a, value: bc }]',
    ],
    ['names in camelCase', '{ cluster: a }', 'clusterName: a', 'randomValue: "7"'],
  ])('%s', async (_what, route, validate, input) => {
    const routes = table(`- { match: { prefix: / }, route: ${route} }`);
    expect((await run(routes, asks(validate, input))).output).toMatch(/^1 test passed/);
  });

  test('metadata of the route', async () => {
    const metadata = '{ filter_metadata: { meta: { k: v, list: [1] } } }';
    const routes = table(`- { match: { prefix: / }, route: { cluster: a }, metadata: ${metadata} }`);
    const good =
      'route_metadata: [{ namespace: meta, key: k, value: v }, { namespace: meta, key: list, value: "[1]" }]';
    expect((await run(routes, asks(good))).output).toMatch(/^1 test passed/);
    const { output } = await run(routes, asks('route_metadata: [{ namespace: other, key: k, value: v }]'));
    expect(output).toContain('expected: [other.k: v], actual: [other.k: NULL], test type: route_metadata\n');
  });

  test.each([
    ['key: some.key', 'runtime: some.key, random_value: 29', 'a'],
    ['key: some.key', 'runtime: some.key, random_value: 30', 'b'],
    ['key: some.key', 'runtime: another, random_value: 29', 'b'],
    ['no key', 'random_value: 129', 'a'],
    ['no key', 'random_value: 30', 'b'],
  ])('a runtime fraction with %s: %s', async (key, input, cluster) => {
    const name = key === 'no key' ? '' : ', runtime_key: some.key';
    const fraction = `{ default_value: { numerator: 30 }${name} }`;
    const routes = table(
      `- { match: { prefix: /, runtime_fraction: ${fraction} }, route: { cluster: a } }\n` +
        '  - { match: { prefix: / }, route: { cluster: b } }',
    );
    expect((await run(routes, asks(`cluster_name: ${cluster}`, input))).output).toMatch(/^1 test passed/);
  });

  test('with a runtime for all tests', async () => {
    const routes = table('- { match: { safe_regex: { regex: "/[a-z]{1,10}" } }, route: { cluster: a } }');
    const tests = asks('cluster_name: a');
    expect((await run(routes, `runtime: { re2.max_program_size.error_level: 10 }\n${tests}`)).output).toContain(
      'error: ',
    );
    expect((await run(routes, tests)).status).toBe(0);
  });
});

describe('coverage', () => {
  const weighted = '{ weighted_clusters: { clusters: [{ name: a, weight: 1 }, { name: b, weight: 1 }] } }';
  const routes = table(
    `- { name: ours, match: { prefix: /x }, route: ${weighted} }\n  - { match: { path: /y }, redirect: {} }`,
  );

  test('counts routes, and each cluster of a weighted choice', async () => {
    const { output } = await run(routes, asks('cluster_name: a'), '--detailed-coverage');
    expect(output).toContain(
      'Missing test for host: v, path: "/y" at routes.yaml:6:5\nCurrent route coverage: 33.3333%\n',
    );
  });

  test('counts fields', async () => {
    const { output } = await run(routes, asks('cluster_name: a, path_rewrite: /x'), '--covall');
    expect(output).toContain('Current route coverage: 13.3333%\n');
  });

  test('headers alone cover nothing', async () => {
    const { output } = await run(routes, asks('request_header_matches: [{ name: ":path" }]'));
    expect(output).toBe('1 test passed\nCurrent route coverage: 0%\n');
  });
});

describe('a whole configuration', () => {
  const hcm = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
  const listener = (name: string): string =>
    `{ filter_chains: [{ filters: [{ typed_config: { "@type": ${hcm}, routeConfig: { name: ${name}, virtual_hosts: ` +
    `[{ name: v, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: ${name} } }] }] } } }] }] }`;
  const bootstrap = (...names: readonly string[]): string =>
    `static_resources: { listeners: [${names.map(listener).join(', ')}] }`;

  test('with one route table', async () => {
    expect((await run(bootstrap('a'), asks('cluster_name: a'))).status).toBe(0);
  });

  test('with several, one of them by name', async () => {
    const both = bootstrap('a', 'b');
    expect((await run(both, asks('cluster_name: b'), '--route-config', 'b')).status).toBe(0);
    expect((await run(both, asks('cluster_name: b'))).output).toContain("more than one route_config ('a', 'b')");
    const { output } = await run(both, asks('cluster_name: b'), '--route-config', 'c');
    expect(output).toContain("there is no route_config 'c', but 'a', 'b'");
  });

  test('with none', async () => {
    expect((await run(bootstrap(), asks('cluster_name: b'))).output).toContain('there is no route_config\n');
  });
});

describe('what is wrong is refused, at its place', () => {
  test.each([
    ['tests: []', 'tests is required, with one test at least'],
    ['tests: 5', 'must be a list, found 5'],
    ['tests: [{}]', '1:9: error: input is required'],
    ['test: []', 'did you mean tests?'],
    [asks('cluster: a'), 'there is no field "cluster"'],
    [asks('cluster_name: 5'), 'must be a string, found 5'],
    [asks('timeout: 5'), 'must be a duration such as 1.5s, found 5'],
    [asks('code_redirect: -1'), 'must be a whole number that is not negative, found -1'],
    [asks('', 'ssl: 1'), 'must be true or false, found 1'],
    [asks('').replace('GET', 'X'), 'must have at least 3 characters, found "X"'],
    [asks('').replace('authority: h,', ''), 'authority is required'],
    [asks('request_header_matches: [{ string_match: { exact: a } }]'), 'name'],
    [asks('', 'dynamic_metadata: [{ metadata_namespace: a, typed_value: {} }]'), 'not supported by sekisho'],
    [asks('', 'dynamic_metadata: [{ metadata_namespace: a, value: 5 }]'), 'must be an object, found 5'],
    ['tests: {', 'error: '],
  ])('%s', async (tests, words) => {
    const { output, status } = await run(toA, tests);
    expect(output).toMatch(/^tests\.yaml:\d+:\d+: error: /);
    expect(output).toContain(words);
    expect(status).toBe(1);
  });

  test.each([
    ['virtual_hosts: [{ name: v, domains: ["*"], routes: [{ match: { prefix: / } }] }]', 'error: '],
    [
      table(
        '- { match: { prefix: / }, route: { cluster: a, prefix_rewrite: /, regex_rewrite: { pattern: { regex: a }, substitution: b } } }',
      ),
      'error: ',
    ],
    ['{', 'error: '],
  ])('%s', async (routes, words) => {
    const { output, status } = await run(routes, asks('cluster_name: a'));
    expect(output).toMatch(/^routes\.yaml:\d+:\d+: error: /);
    expect(output).toContain(words);
    expect(status).toBe(1);
    const { problems } = JSON.parse((await run(routes, asks('cluster_name: a'), '--format', 'json')).output);
    expect(problems[0]).toMatchObject({ severity: 'error' });
  });
});

describe('the command line', () => {
  test("takes the files as Envoy's tool does", () => {
    const invocation = readCommandLine(['route-test', '-t', 't.yaml', '-c', 'c.yaml', '-d', '--fail-under', '7.5'], '');
    expect(invocation).toMatchObject({
      routeTest: { configPath: 'c.yaml', testPath: 't.yaml', showsAll: true, failUnder: 7.5 },
    });
  });

  test.each([
    [['a.yaml'], 'CONFIG and TESTS are needed'],
    [['a.yaml', 'b.yaml', '-c', 'c.yaml'], 'CONFIG and TESTS are needed'],
    [['a.yaml', 'b.yaml', 'c.yaml'], 'too many arguments'],
    [['a.yaml', 'b.yaml', '-f', '101'], 'A percentage is needed'],
    [['a.yaml', 'b.yaml', '--format', 'xml'], 'Allowed choices are text, json'],
  ])('%j is refused', (args, words) => {
    const invocation = readCommandLine(['route-test', ...args], '');
    expect(invocation).toMatchObject({ command: 'print', exitCode: 1, text: expect.stringContaining(words) });
  });

  test('--help says what a tests file may hold', () => {
    const help = readCommandLine(['route-test', '--help'], '');
    expect(help).toMatchObject({ exitCode: 0, text: expect.stringContaining('response_header_matches') });
  });
});
