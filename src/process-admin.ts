import { writeAddressFile } from './admin/address-file.ts';
import { endpoints } from './admin/endpoints.ts';
import { AdminPages } from './admin/respond.ts';
import { AdminServer } from './admin/server.ts';
import type { App } from './app.ts';
import type { RuntimeView } from './core/runtime-view.ts';
import { formatAddress } from './core/peer.ts';
import type { AccessLog } from './observe/access-log/access-log.ts';
import type { AccessLogFiles } from './observe/access-log/access-log-files.ts';
import type { FilterTools } from './observe/access-log/filter.ts';
import { buildNameMatcher } from './observe/stats/stat-name-matcher.ts';
import { ProcessView } from './process-view.ts';
import type { HeaderMatcherData } from './route/match/matcher-data.ts';

/** The admin interface of the process. */
export class ProcessAdmin {
  private readonly server: AdminServer;
  /** Null: it writes no access logs. */
  private readonly files: AccessLogFiles | null;

  private constructor(server: AdminServer, files: AccessLogFiles | null) {
    this.server = server;
    this.files = files;
  }

  /** Null: none is configured. */
  static async open(app: App, runtime: RuntimeView): Promise<ProcessAdmin | null> {
    const { admin } = app.configuration.data;
    if (admin === null) return null;
    const log = app.environment.logs.component('main');
    const matchers = admin.allowPaths.map(buildNameMatcher);
    const allows = (target: string): boolean => matchers.length === 0 || matchers.some((matches) => matches(target));
    const pages = new AdminPages(endpoints, new ProcessView(app), allows);
    const { logs, files } = await openLogs(app, runtime);
    const server = new AdminServer(pages, logs, app.environment.logs.component('admin'));
    const address = await server.listen(admin.address, admin.pipeMode);
    log.info(`admin address: ${formatAddress(address)}`);
    const { adminAddressPath } = app.environment.options;
    if (adminAddressPath !== '') writeAddressFile(adminAddressPath, address);
    return new ProcessAdmin(server, files);
  }

  reopenLogs(): void {
    this.files?.reopen();
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** Once nothing is logged any more. */
  async closeLogs(): Promise<void> {
    await this.files?.close();
  }
}

/** Loads what writes access logs only where the admin has any. */
async function openLogs(
  app: App,
  runtime: RuntimeView,
): Promise<{ logs: readonly AccessLog[]; files: AccessLogFiles | null }> {
  const { adminAccessLogs } = app.configuration.data;
  if (adminAccessLogs.length === 0) return { logs: [], files: null };
  const [{ AccessLogFiles }, { buildAccessLog }, { HeaderMatcher }] = await Promise.all([
    import('./observe/access-log/access-log-files.ts'),
    import('./observe/access-log/build.ts'),
    import('./route/match/header-matcher.ts'),
  ]);
  const files = new AccessLogFiles(app.environment.options.fileFlushIntervalMs, app.ownStats.root);
  const tools: FilterTools = {
    headerMatcher: (data) => new HeaderMatcher(data as HeaderMatcherData),
    runtime,
    random: Math.random,
  };
  return { logs: adminAccessLogs.map((data) => buildAccessLog(data, files, tools)), files };
}
