import type { AccessLogData, FormatData, LogSinkData } from './access-log-data.ts';
import type { AccessLogFiles } from './access-log-files.ts';
import { buildAccessLogFilter, NO_TOOLS, type AccessLogFilter, type FilterTools } from './access-log-filter.ts';
import type { AccessLog } from './access-log.ts';
import { compileFormat, compileJsonFormat, type FormatOptions } from './format/format.ts';
import type { FormatContext } from './format/format-context.ts';
import type { Formatter } from './formatter.ts';
import type { LogFile } from './log-file.ts';
import type { Outcome } from './outcome.ts';

/** Throws where a file cannot be opened. */
export function buildAccessLog(
  data: AccessLogData,
  files: AccessLogFiles,
  tools: FilterTools = NO_TOOLS,
  context?: FormatContext,
): AccessLog {
  const filter = data.filter === null ? null : buildAccessLogFilter(data.filter, tools);
  return new FileAccessLog(filter, buildFormat(data.format, context), openSink(data.sink, files));
}

/** A decoded `SubstitutionFormatString`: for logs, and for the bodies of local replies. */
export function buildFormat(data: FormatData, context?: FormatContext): Formatter {
  const { omitEmptyValues, extensions } = data;
  const options: FormatOptions =
    context === undefined ? { omitEmptyValues, extensions } : { omitEmptyValues, extensions, context };
  return data.kind === 'text' ? compileFormat(data.text, options) : compileJsonFormat(data.template, options);
}

function openSink(sink: LogSinkData, files: AccessLogFiles): LogFile {
  switch (sink.kind) {
    case 'file':
      return files.open(sink.path);
    case 'stdout':
      return files.open('/dev/stdout');
    case 'stderr':
      return files.open('/dev/stderr');
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
