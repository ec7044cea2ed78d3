import { expect, test } from 'vitest';
import { endpoints } from '../../../src/admin/endpoints.ts';
import { AdminPages } from '../../../src/admin/respond.ts';
import { LogLevel } from '../../../src/observe/log/level.ts';
import { ask, ReportedProcess } from './process.ts';

// The list of a real Envoy's /help.
const mutating = [
  '/allocprofiler',
  '/cpuprofiler',
  '/drain_listeners',
  '/healthcheck/fail',
  '/healthcheck/ok',
  '/heapprofiler',
  '/logging',
  '/quitquitquit',
  '/reopen_logs',
  '/reset_counters',
  '/runtime_modify',
  '/stats/recentlookups/clear',
  '/stats/recentlookups/disable',
  '/stats/recentlookups/enable',
];

test('what changes something needs POST', async () => {
  expect(endpoints.filter(({ isMutating }) => isMutating).map(({ path }) => path)).toEqual(mutating);
  const source = new ReportedProcess();
  for (const path of mutating) {
    for (const method of ['GET', 'PUT']) {
      expect(await ask(source, path, method)).toEqual({
        status: 405,
        contentType: 'text/plain; charset=UTF-8',
        body: `Method ${method} not allowed, POST required.`,
      });
    }
  }
  expect(source.done).toEqual([]);
});

test('any method reads', async () => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    expect(await ask(new ReportedProcess(), '/ready', method)).toMatchObject({ status: 200, body: 'LIVE\n' });
  }
});

test('every action is done and says OK', async () => {
  const source = new ReportedProcess();
  const paths = [
    '/healthcheck/fail',
    '/healthcheck/ok',
    '/reset_counters',
    '/reopen_logs',
    '/drain_listeners',
    '/drain_listeners?graceful&skip_exit&inboundonly',
    '/quitquitquit',
  ];
  for (const path of paths) expect(await ask(source, path, 'POST')).toMatchObject({ status: 200, body: 'OK\n' });
  expect(source.done).toEqual([
    'fail',
    'ok',
    'reset counters',
    'reopen logs',
    { isGraceful: false, skipExit: false, inboundOnly: false },
    { isGraceful: true, skipExit: true, inboundOnly: true },
    'quit',
  ]);
});

test('skip_exit needs graceful', async () => {
  const source = new ReportedProcess();
  expect(await ask(source, '/drain_listeners?skip_exit', 'POST')).toMatchObject({
    status: 400,
    body: 'skip_exit requires graceful\n',
  });
  expect(source.done).toEqual([]);
});

test('unknown paths get the list of pages', async () => {
  const source = new ReportedProcess();
  const help = await ask(source, '/help');
  for (const target of ['/nope', '/ready/', '/stats/foo']) {
    expect(await ask(source, target)).toEqual({
      status: 404,
      contentType: 'text/plain; charset=UTF-8',
      body: `invalid path. ${help.body}`,
    });
  }
  expect(help.body).toMatch(/^admin commands are:\n {2}\/: Admin home page\n {2}\/allocprofiler \(POST\): enable/);
  expect(help.body).toContain('      enable: enables the CPU profiler; One of (y, n)\n');
});

test('the home page links every page and POSTs what changes something', async () => {
  const { contentType, body } = await ask(new ReportedProcess(), '/');
  expect(contentType).toBe('text/html; charset=UTF-8');
  for (const { path, isMutating } of endpoints.slice(1)) {
    expect(body).toContain(`<form action="${path.slice(1)}" method="${isMutating ? 'post' : 'get'}"`);
  }
  expect(body).not.toContain('<script');
});

test('allow_paths sees the target with its query', async () => {
  const source = new ReportedProcess();
  const pages = new AdminPages(endpoints, source, (target) => target === '/ready' || target.startsWith('/stats'));
  expect(await pages.respond('GET', '/ready', '')).toMatchObject({ status: 200 });
  expect(await pages.respond('GET', '/ready?x', '')).toMatchObject({
    status: 403,
    body: 'request to path /ready?x not allowed',
  });
  expect(await pages.respond('POST', '/quitquitquit', '')).toMatchObject({ status: 403 });
  expect(source.done).toEqual([]);
});

test('/logging shows and changes levels', async () => {
  const source = new ReportedProcess();
  const before = await ask(source, '/logging', 'POST');
  expect(before.status).toBe(200);
  expect(before.body).toMatch(/^active loggers:\n {2}a2a: info\n/);
  expect(before.body).toMatch(/ {2}ip_tagging: info\n\n$/);
  expect((await ask(source, '/logging?level=warning', 'POST')).body).toContain('  main: warning\n');
  expect((await ask(source, '/logging?main=debug', 'POST')).body).toContain('  main: debug\n');
  await ask(source, '/logging?paths=main:error,admin:trace', 'POST');
  expect([source.logLevels.get('main'), source.logLevels.get('admin'), source.logLevels.get('http')]).toEqual([
    LogLevel.Error,
    LogLevel.Trace,
    LogLevel.Warning,
  ]);
  expect((await ask(source, '/logging?paths=&group=&level=', 'POST')).status).toBe(200);
});

test.each([
  ['/logging?level=foo', 'unknown logger level'],
  ['/logging?bogus=debug', 'unknown logger name'],
  ['/logging?a=1&b=2', 'invalid number of parameters'],
  ['/logging?paths=main:debug,bogus:debug', 'unknown logger name'],
  ['/logging?paths=main', 'empty logger name or empty logger level'],
  ['/logging?main=bogus', 'unknown logger level'],
  ['/logging?group=main:debug', 'group parameter requires fine-grain logging to be enabled'],
])('%s is refused and changes nothing', async (target, words) => {
  const source = new ReportedProcess();
  const { status, body } = await ask(source, target, 'POST');
  expect(status).toBe(400);
  expect(body).toMatch(new RegExp(`^error: ${words}\n\nusage: /logging\\?<name>=<level> \\(change single level\\)\n`));
  expect(body).toContain('levels: trace debug info warning error critical off \nactive loggers:\n');
  expect(source.logLevels.get('main')).toBe(LogLevel.Info);
});
