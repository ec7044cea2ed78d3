/** RUST_LOG's levels, least first. */
export const ZtunnelLevel = { Trace: 0, Debug: 1, Info: 2, Warn: 3, Error: 4, Off: 5 } as const;
export type ZtunnelLevel = (typeof ZtunnelLevel)[keyof typeof ZtunnelLevel];

export const levelNames: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'off'];

/** Of a line's fields: texts are quoted, others are as they are. */
export type LogValue = string | number | { readonly plain: string };
export type LogField = readonly [name: string, value: LogValue];

/** Where lines go. */
export type LineSink = (text: string) => void;

/** Bytes that are gathered before they are written. */
const gatheredMax = 32 * 1024;

/** Log lines in ztunnel's two forms, which are gathered and written together. */
export class LogLines {
  level: ZtunnelLevel;
  private readonly isJson: boolean;
  private readonly sink: LineSink;
  private readonly now: () => number;
  private gathered: string;
  private isAsked: boolean;

  constructor(isJson: boolean, sink: LineSink, now: () => number = Date.now) {
    this.level = ZtunnelLevel.Info;
    this.isJson = isJson;
    this.sink = sink;
    this.now = now;
    this.gathered = '';
    this.isAsked = false;
  }

  isOn(level: ZtunnelLevel): boolean {
    return level >= this.level;
  }

  write(level: ZtunnelLevel, scope: string, message: string, fields: readonly LogField[] = []): void {
    if (!this.isOn(level)) return;
    const time = new Date(this.now()).toISOString().replace('Z', '000Z');
    this.gathered += this.isJson
      ? jsonLine(time, levelNames[level], scope, message, fields)
      : plainLine(time, levelNames[level], scope, message, fields);
    if (this.gathered.length > gatheredMax) this.flush();
    else if (!this.isAsked) {
      this.isAsked = true;
      setImmediate(() => this.flush());
    }
  }

  flush(): void {
    const { gathered } = this;
    this.gathered = '';
    this.isAsked = false;
    if (gathered !== '') this.sink(gathered);
  }
}

function plainLine(time: string, level: string, scope: string, message: string, fields: readonly LogField[]): string {
  const texts = fields.map(([name, value]) => {
    if (typeof value === 'number') return `${name}=${value}`;
    return typeof value === 'string' ? `${name}=${JSON.stringify(value)}` : `${name}=${value.plain}`;
  });
  return `${time}\t${level}\t${scope}\t${message}${texts.length === 0 ? '' : `\t${texts.join(' ')}`}\n`;
}

function jsonLine(time: string, level: string, scope: string, message: string, fields: readonly LogField[]): string {
  const object: Record<string, unknown> = { level, time, scope, message };
  for (const [name, value] of fields) object[name] = typeof value === 'object' ? value.plain : value;
  return `${JSON.stringify(object)}\n`;
}
