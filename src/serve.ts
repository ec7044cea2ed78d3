import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Accepted, AppEnvironment } from './app.ts';
import { App } from './app.ts';
import type { Options } from './cli/options.ts';
import { formatProblem } from './config/format-problem.ts';
import { deprecatedField } from './config/validator.ts';
import { loadConfiguration, type Configuration, type ConfigurationSource } from './control/configuration.ts';
import { ExtensionTable } from './control/extension-table.ts';
import { Workers } from './control/workers.ts';
import { extensionEntries } from './extensions.ts';
import { defaultLogPattern, LogFormat } from './observe/log/log-format.ts';
import type { Log } from './observe/log/log.ts';
import type { LogWriter } from './observe/log/log-writer.ts';
import { inlineMore } from './inlining.ts';
import { giveBackMemory } from './spare-memory.ts';

/** Editors write a file in several steps: a change counts when it has been quiet this long. */
const settleMs = 100;

/** One file, as serving would read it. */
export function loadFile(path: string, allowUnknown: boolean): Promise<Configuration> {
  const overrides = { serviceNode: '', serviceCluster: '', serviceZone: '', hasLogFormat: false, statsTags: [] };
  return loadConfiguration({ path, allowUnknown, ...overrides }, new ExtensionTable(extensionEntries));
}

/** The command `serve`: from the options to a running process, its reloads and its end. */
export class Server {
  private readonly environment: AppEnvironment;
  private readonly options: Options;
  private readonly extensions: ExtensionTable;
  private readonly log: Log;
  private readonly printError: (text: string) => void;
  private readonly hasColor: boolean;
  private app: App | null;
  private isReloading: boolean;
  private isReloadWanted: boolean;
  private isEnding: boolean;

  constructor(environment: AppEnvironment, printError: (text: string) => void, hasColor: boolean) {
    this.environment = environment;
    this.options = environment.options;
    this.extensions = new ExtensionTable(extensionEntries);
    this.log = environment.logs.component('main');
    this.printError = printError;
    this.hasColor = hasColor;
    this.app = null;
    this.isReloading = false;
    this.isReloadWanted = false;
    this.isEnding = false;
  }

  /** @returns the configuration, or null when it was refused and the reasons were printed */
  async load(onExtensions: (names: readonly string[]) => void = () => {}): Promise<Accepted | null> {
    const configuration = await loadConfiguration({ ...this.source(), onExtensions }, this.extensions);
    this.report(configuration);
    return configuration.isRefused ? null : configuration;
  }

  /**
   * @param workers as many as there are to be, loading their modules while this thread reads the configuration
   * @returns false: the configuration was refused and the reasons were printed
   * @throws Error when the process cannot start
   */
  async start(workers = this.startWorkers()): Promise<boolean> {
    const configuration = await this.load((names) => workers.postAll({ kind: 'extensions', names }));
    if (configuration === null) {
      workers.terminate();
      return false;
    }
    this.useLogPattern(configuration);
    this.app = new App(this.environment, configuration, workers);
    await this.app.start();
    if (this.options.watch) this.watchFile();
    inlineMore();
    giveBackMemory();
    return true;
  }

  /** Validates first; the old configuration serves on if the new one is refused. */
  async reload(): Promise<void> {
    if (this.app === null || this.isEnding) return;
    this.isReloadWanted = true;
    // What the one before waits for may never come.
    this.app.supersede?.();
    if (this.isReloading) return;
    this.isReloading = true;
    while (this.isReloadWanted) {
      this.isReloadWanted = false;
      await this.reloadOnce(this.app);
    }
    this.isReloading = false;
  }

  /** Ends in good order; a second call ends at once. */
  async end(signal: string): Promise<void> {
    if (this.isEnding || this.options.exitOnSigterm || this.app === null) {
      this.environment.exit(0);
      return;
    }
    this.isEnding = true;
    this.log.warn(
      `caught ${signal}: draining for at most ${this.options.drainTimeMs / 1000} s; a second signal exits at once`,
    );
    await this.app.drain(this.options.drainTimeMs);
    await this.app.stop();
    this.log.info('drained, exiting');
    this.environment.exit(0);
  }

  async stop(): Promise<void> {
    this.isEnding = true;
    await this.app?.stop();
  }

  reopenLogs(): void {
    this.app?.reopenLogs();
  }

  private async reloadOnce(app: App): Promise<void> {
    const configuration = await this.load();
    if (configuration === null) {
      this.log.error('the new configuration is refused, the old one serves on');
      return;
    }
    this.useLogPattern(configuration);
    const failures = await app.replace(configuration);
    giveBackMemory();
    if (failures === null) {
      this.log.info('the configuration changed again before all of it was there');
      return;
    }
    for (const failure of failures) this.log.error(failure);
    if (failures.length === 0)
      this.log.info(
        `configuration reloaded: ${configuration.data.listeners.length} listeners, ${configuration.data.clusters.length} clusters`,
      );
  }

  /** The configuration's pattern; without one, the command line's. */
  private useLogPattern({ data }: Accepted): void {
    const pattern = data.logPattern ?? this.options.logFormat ?? defaultLogPattern;
    (this.environment.logs as LogWriter).format = new LogFormat(pattern);
  }

  private startWorkers(): Workers {
    const { concurrency, workerEntry } = this.environment;
    return new Workers(concurrency, workerEntry, this.log);
  }

  private source(): ConfigurationSource {
    const { configPath, configYaml, allowUnknownStaticFields, logFormat } = this.options;
    const { serviceNode, serviceCluster, serviceZone, statsTags } = this.options;
    return {
      path: configPath === '' ? undefined : configPath,
      overrideYaml: configYaml === '' ? undefined : configYaml,
      allowUnknown: allowUnknownStaticFields,
      serviceNode,
      serviceCluster,
      serviceZone,
      hasLogFormat: logFormat !== null,
      statsTags,
    };
  }

  private report(configuration: Configuration): void {
    const problems = configuration.isRefused ? configuration.problems : configuration.warnings;
    for (const problem of problems) {
      if (this.options.skipDeprecatedLogs && problem.message === deprecatedField) continue;
      this.printError(`${formatProblem(problem, configuration.document, { hasColor: this.hasColor })}\n`);
    }
  }

  /** Watches the folder, since editors and ConfigMaps put another file in the place of the old one. */
  private watchFile(): void {
    const { configPath } = this.options;
    if (configPath === '') return;
    let timer: NodeJS.Timeout | null = null;
    const name = basename(configPath);
    const watcher = watch(dirname(configPath), (_event, changed) => {
      // Kubernetes swaps the link `..data`, never the file itself.
      if (changed !== null && changed !== name && changed !== '..data') return;
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(() => void this.reload(), settleMs);
    });
    watcher.unref();
  }
}
