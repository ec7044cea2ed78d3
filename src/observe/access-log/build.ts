import type { AccessLogData, FormatData, LogSinkData } from './access-log-data.ts';
import type { AccessLogFiles } from './access-log-files.ts';
import { buildAccessLogFilter, NO_TOOLS, type AccessLogFilter, type FilterTools } from './filter.ts';
import type { AccessLog } from './access-log.ts';
import { compileFormat, compileJsonFormat, type FormatOptions } from '../format/format.ts';
import type { FormatContext } from '../format/format-context.ts';
import type { Formatter } from '../format/formatter.ts';
import type { LogServiceData } from './log-service-data.ts';
import type { LogFile } from './log-file.ts';
import type { Outcome } from '../outcome.ts';

/** Opens logs that go elsewhere than into files; `proxy/` implements it. */
export interface LogServices {
  open(data: LogServiceData): AccessLog;
}

type FileSinkData = Exclude<LogSinkData, { kind: 'service' }>;

/** Throws where a file cannot be opened, and where a service is named without `services`. */
export function buildAccessLog(
  data: AccessLogData,
  files: AccessLogFiles,
  tools: FilterTools = NO_TOOLS,
  context?: FormatContext,
  services?: LogServices,
): AccessLog {
  const filter = data.filter === null ? null : buildAccessLogFilter(data.filter, tools);
  if (data.sink.kind === 'service') {
    if (services === undefined) throw new Error('there are no services for logs here');
    const log = services.open(data.sink.service);
    return filter === null ? log : new FilteredLog(filter, log);
  }
  return new FileAccessLog(filter, buildFormat(data.format, context), openSink(data.sink, files));
}

/** A decoded `SubstitutionFormatString`: for logs, and for the bodies of local replies. */
export function buildFormat(data: FormatData, context?: FormatContext): Formatter {
  const { omitEmptyValues, extensions } = data;
  const options: FormatOptions =
    context === undefined ? { omitEmptyValues, extensions } : { omitEmptyValues, extensions, context };
  return data.kind === 'text' ? compileFormat(data.text, options) : compileJsonFormat(data.template, options);
}

function openSink(sink: FileSinkData, files: AccessLogFiles): LogFile {
  switch (sink.kind) {
    case 'file':
      return files.open(sink.path);
    case 'stdout':
      return files.open('/dev/stdout');
    case 'stderr':
      return files.open('/dev/stderr');
  }
}

class FilteredLog implements AccessLog {
  private readonly filter: AccessLogFilter;
  private readonly inner: AccessLog;

  constructor(filter: AccessLogFilter, inner: AccessLog) {
    this.filter = filter;
    this.inner = inner;
  }

  log(outcome: Outcome): void {
    if (this.filter.accepts(outcome)) this.inner.log(outcome);
  }
}

class FileAccessLog implements AccessLog {
  private readonly filter: AccessLogFilter | null;
  private readonly formatter: Formatter;
  private readonly file: LogFile;

  constructor(filter: AccessLogFilter | null, formatter: Formatter, file: LogFile) {
    this.filter = filter;
    this.formatter = formatter;
    this.file = file;
  }

  log(outcome: Outcome): void {
    if (this.filter !== null && !this.filter.accepts(outcome)) return;
    this.formatter.write(outcome, this.file.beginLine());
    this.file.endLine();
  }
}
