import type { LogServices } from '../../observe/access-log/build.ts';
import type { AccessLog } from '../../observe/access-log/access-log.ts';
import type { LogServiceData } from '../../observe/access-log/log-service-data.ts';
import { OpenTelemetryTracer } from '../../observe/trace/opentelemetry-tracer.ts';
import type { TracerData } from '../../observe/trace/trace-data.ts';
import type { Tracer } from '../../observe/trace/tracer.ts';
import { ZipkinTracer } from '../../observe/trace/zipkin-tracer.ts';
import type { ExportEnvironment } from './export-environment.ts';
import { GrpcLog } from './log/grpc-log.ts';
import { OtlpLog } from './log/otlp-log.ts';
import { OtlpReporter } from './otlp-reporter.ts';
import { ZipkinReporter } from './zipkin-reporter.ts';

/** What gathers, and sends later. */
export interface Exporter {
  /** Something waits, or is on its way. */
  readonly isBusy: boolean;
  /** Sends what has been gathered. */
  flush(): void;
}

/** How often the end is looked at, milliseconds. */
const lookEveryMs = 10;

/** What one worker sends to collectors: of every configuration there is one exporter, whoever names it. */
export class Exporters implements LogServices {
  private readonly environment: ExportEnvironment;
  /** Those whose users have gone go with them. */
  private readonly tracers: Map<string, WeakRef<Tracer>>;
  private readonly logs: Map<string, WeakRef<AccessLog>>;
  private readonly exporters: Set<WeakRef<Exporter>>;

  constructor(environment: ExportEnvironment) {
    this.environment = environment;
    this.tracers = new Map();
    this.logs = new Map();
    this.exporters = new Set();
  }

  tracer(data: TracerData): Tracer {
    const key = JSON.stringify(data);
    const known = this.tracers.get(key)?.deref();
    if (known !== undefined) return known;
    const made = this.makeTracer(data);
    this.forget();
    this.tracers.set(key, new WeakRef(made));
    return made;
  }

  open(data: LogServiceData): AccessLog {
    const key = JSON.stringify(data);
    const known = this.logs.get(key)?.deref();
    if (known !== undefined) return known;
    const made = this.kept(
      data.kind === 'open-telemetry' ? new OtlpLog(data, this.environment) : new GrpcLog(data, this.environment),
    );
    this.forget();
    this.logs.set(key, new WeakRef(made));
    return made;
  }

  /** At the end of the thread: resolves when everything has been sent and answered, or after `timeMaxMs`. */
  async close(timeMaxMs: number): Promise<void> {
    for (const exporter of this.exporters) exporter.deref()?.flush();
    const end = performance.now() + timeMaxMs;
    // Once in any case: what a stream was given leaves at the end of the turn.
    do await new Promise<void>((resolve) => setTimeout(resolve, lookEveryMs));
    while (this.isBusy && performance.now() < end);
  }

  private get isBusy(): boolean {
    for (const exporter of this.exporters) if (exporter.deref()?.isBusy === true) return true;
    return false;
  }

  private makeTracer(data: TracerData): Tracer {
    if (data.kind === 'zipkin') return new ZipkinTracer(data, this.kept(new ZipkinReporter(data, this.environment)));
    return new OpenTelemetryTracer(data, this.kept(new OtlpReporter(data, this.environment)));
  }

  private kept<T extends Exporter>(exporter: T): T {
    this.exporters.add(new WeakRef(exporter));
    return exporter;
  }

  /** Only a change of the configuration makes new ones. */
  private forget(): void {
    for (const [key, ref] of this.tracers) if (ref.deref() === undefined) this.tracers.delete(key);
    for (const [key, ref] of this.logs) if (ref.deref() === undefined) this.logs.delete(key);
    for (const ref of this.exporters) if (ref.deref() === undefined) this.exporters.delete(ref);
  }
}
