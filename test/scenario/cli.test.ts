import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { flags } from '../../src/cli/flags.ts';
import { App, runCli } from './app.ts';
import { answer, bootstrap, httpListener } from './config.ts';

const good = JSON.stringify(bootstrap([httpListener({ routes: [answer('/', 'ok')] })], []));
const bad = `static_resources:
  clusters:
  - name: one
    connect_timeout: soon
  - nam: two
`;

describe('--mode validate', () => {
  test('says OK with status 0', async () => {
    const { code, stdout } = await runCli(['-c', 'good.yaml', '--mode', 'validate'], { 'good.yaml': good });
    expect(stdout).toBe("configuration 'good.yaml' OK\n");
    expect(code).toBe(0);
  });

  test('says what is deprecated, unless it is told not to', async () => {
    const cluster = '{ name: a, connect_timeout: 1s, max_requests_per_connection: 1 }';
    const files = { 'old.yaml': `static_resources: { clusters: [${cluster}] }` };
    const told = await runCli(['-c', 'old.yaml', '--mode', 'validate'], files);
    expect([told.code, told.stderr]).toEqual([0, expect.stringContaining('warning: this field is deprecated')]);
    const quiet = await runCli(['-c', 'old.yaml', '--mode', 'validate', '--skip-deprecated-logs'], files);
    expect([quiet.code, quiet.stderr]).toEqual([0, '']);
  });

  test('says every reason with its place and status 1', async () => {
    const { code, stderr } = await runCli(['-c', 'bad.yaml', '--mode', 'validate'], { 'bad.yaml': bad });
    expect(stderr).toMatch(/bad\.yaml:4:\d+/);
    expect(stderr).toMatch(/bad\.yaml:5:\d+/);
    expect(code).toBe(1);
  });
});

describe('check', () => {
  test('tells programs as JSON what is wrong', async () => {
    const files = { 'good.yaml': good, 'bad.yaml': bad };
    const { code, stdout } = await runCli(['check', 'good.yaml', 'bad.yaml', '--format', 'json'], files);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [
        { file: 'good.yaml', isRefused: false, problems: [] },
        { file: 'bad.yaml', isRefused: true, problems: [{ line: 4 }, { line: 5, suggestion: 'name' }] },
      ],
    });
  });

  test('ends with 0 when all is well', async () => {
    expect((await runCli(['check', 'good.yaml'], { 'good.yaml': good })).code).toBe(0);
  });
});

describe('the command line', () => {
  test('--config-yaml is merged over the file', async () => {
    const override = 'node: { id: overridden, cluster: a-cluster }';
    const app = await App.start(good, { args: ['--config-yaml', override] });
    const info = JSON.parse((await app.admin('/server_info')).body) as { node: object; state: string };
    expect(info).toMatchObject({ state: 'LIVE', node: { id: 'overridden', cluster: 'a-cluster' } });
    expect(await (await request(await app.url())).body.text()).toBe('ok');
  });

  test('--version', async () => {
    const { code, stdout } = await runCli(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\nsekisho\s+version: sekisho\/\d+\.\d+\.\d+\//);
  });

  test('--help lists every flag', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    expect(flags.filter(({ name }) => !stdout.includes(`--${name}`)).map(({ name }) => name)).toEqual([]);
  });

  test.each([[['ztunnel', '--help']], [['proxy', 'ztunnel', '-h']]])('%j says what it is told by', async (args) => {
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: sekisho ztunnel[^]*LOCAL_XDS_PATH/);
  });

  test('an unknown flag is refused, with the nearest one', async () => {
    const { code, stderr } = await runCli(['--config-pat', 'x']);
    expect(code).toBe(1);
    expect(stderr).toContain('--config-pat');
    expect(stderr).toContain('--config-path');
  });

  test('a file that is not there is refused', async () => {
    const { code, stderr } = await runCli(['-c', 'nowhere.yaml']);
    expect(code).toBe(1);
    expect(stderr).toContain('nowhere.yaml');
  });

  test('a process whose listener cannot bind ends with 1', async () => {
    const first = await App.start(good);
    const config = bootstrap(
      [httpListener({ port: await first.port(), routes: [answer('/', 'ok')], listener: { enable_reuse_port: false } })],
      [],
    );
    const second = await App.start(config, { isExpectedToFail: true });
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(second.output).toMatch(/listener 'ingress'/);
  });

  test('--mode init_only ends with 0 when everything is ready', async () => {
    const app = await App.start(good, { args: ['--mode', 'init_only'], isExpectedToFail: true });
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });
});
