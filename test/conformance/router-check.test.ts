/** Envoy's route checker: its own route tables and tests, and what its own script asks of the tool, of `route-test`. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readCommandLine } from '../../src/cli/command-line.ts';
import { routeTest } from '../../src/cli/route-test/route-test.ts';
import { ExtensionTable } from '../../src/control/extension-table.ts';
import { extensionEntries } from '../../src/extensions.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(
  process.env.SEKISHO_SHARED ?? join(dirname(root.replace(/\/$/, '')), 'shared'),
  'fixtures/router_check',
);

/** The command with files of that folder. */
async function run(config: string, tests: string, ...flags: readonly string[]) {
  const files = [`${config}.yaml`, tests].map((name) => join(folder, name));
  const invocation = readCommandLine(['route-test', ...files, ...flags], '');
  if (invocation.command !== 'route-test') throw new Error(JSON.stringify(invocation));
  let output = '';
  const write = (text: string): void => void (output += text);
  const extensions = new ExtensionTable(extensionEntries);
  const status = await routeTest(invocation.routeTest, { extensions, write, hasColor: false });
  return { status, output: output.replaceAll(`${folder}/`, '') };
}

const isHere = existsSync(folder);
if (!isHere)
  console.log(`router_check is skipped: ${folder} is not there; SEKISHO_SHARED names the folder above fixtures/`);

describe.skipIf(!isHere)('route tables of Envoy', () => {
  const files = isHere ? readdirSync(folder) : [];
  const tables = files.filter((file) => file.endsWith('.yaml') && !file.includes('.golden.'));
  const tests = tables.flatMap((table) =>
    files
      .filter(
        (file) => file.startsWith(table.replace('.yaml', '.golden.proto.')) && /\.(json|yaml|pb_text)$/.test(file),
      )
      .map((file) => ({ table: table.replace('.yaml', ''), file })),
  );

  test.each(tests)('$file passes', async ({ table, file }) => {
    const { output, status } = await run(table, file);
    expect(output).toMatch(/^\d+ tests passed\n/);
    expect(status).toBe(0);
  });

  test('there are all of them', () => {
    expect(tests.length).toBeGreaterThanOrEqual(16);
  });

  test('TestRoutesFailures fails with the words of the checker', async () => {
    const { output, status } = await run('TestRoutes', 'TestRoutesFailures.golden.proto.json', '--only-show-failures');
    expect(output.split('\n').slice(1, 6)).toEqual([
      'expected: [content-type: text/plain], actual: NOT [content-type: text/plain], test type: response_header_matches.string_match.exact',
      'actual: [content-length: 25], test type: response_header_matches.range_match',
      'expected: [x-ping-response: pong], actual: [x-ping-response: yes], test type: response_header_matches.string_match.exact',
      'expected: [has(x-ping-response):false], actual: [has(x-ping-response):true], test type: response_header_matches.present_match',
      'expected: [has(x-pong-response):true], actual: [has(x-pong-response):false], test type: response_header_matches.present_match',
    ]);
    expect(status).toBe(1);
  });

  test('tests of another table fail where they must', async () => {
    const details = await run('TestRoutes', 'Weighted.golden.proto.json', '--details');
    expect(details.status).toBe(1);
    expect(details.output).toContain(
      'Test_1\nTest_2\nexpected: [cluster1], actual: [instant-server], test type: cluster_name\n',
    );
    expect(details.output).toContain(
      'expected: [test_virtual_cluster], actual: [other], test type: virtual_cluster_name',
    );
    const { output } = await run('TestRoutes', 'Weighted.golden.proto.json', '--details', '--only-show-failures');
    expect(output).not.toContain('Test_1');
    expect(output).toContain('Test_2');
  });

  test.each(['ComprehensiveRoutes', 'DirectResponse', 'Runtime'])('%s is covered whole', async (name) => {
    const { output, status } = await run(name, `${name}.golden.proto.json`, '--covall', '-f', '100');
    expect(output).toContain('Current route coverage: 100%');
    expect(status).toBe(0);
  });

  test('Redirect is not covered whole', async () => {
    expect((await run('Redirect', 'Redirect.golden.proto.json', '-f', '1')).status).toBe(0);
    const { output, status } = await run('Redirect', 'Redirect.golden.proto.json', '-f', '100');
    expect(output).toContain('Failed to meet coverage requirement: 100%');
    expect(status).toBe(1);
  });

  test('what no test has seen is told', async () => {
    const all = await run('TestRoutes', 'TestRoutes.golden.proto.json', '--covall');
    expect(all.output).toContain('Missing test for host: www2_staging, prefix: "/" at TestRoutes.yaml:');
    expect(all.output).toContain('Missing test for host: default, prefix: "/api/application_data" at');
    const names = ['DetailedCoverage', 'DetailedCoverage.golden.proto.json'] as const;
    const detailed = await run(...names, '--detailed-coverage');
    expect(detailed.output).toContain('Missing test for host: localhost, route name: new_endpoint2 at');
    expect((await run(...names)).output).not.toContain('Missing test');
  });
});
