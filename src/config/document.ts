import { readFileSync, statSync } from 'node:fs';
import { fileBytesMax, show, type ConfigValue } from './config-value.ts';
import type { ConfigReason } from './problem.ts';
import { TextError, eventsOf, isFlowMapping, plainJson, plainYaml, valueOf } from './yaml-text.ts';

/** A configuration text and its value. Its places in the text are found only when something is wrong. */
export interface ConfigDocument {
  /** The file's name as given, or what stands for it (`--config-yaml`). */
  readonly path: string;
  readonly text: string;
  /** null when the text could not be read; `reasons` say why. */
  readonly value: ConfigValue;
  readonly reasons: readonly ConfigReason[];
  /** Merged over this one: `--config-yaml`. */
  readonly override: ConfigDocument | null;
}

export interface ConfigSource {
  /** A file to read, or the name to show for `text`. */
  readonly path?: string | undefined;
  readonly text?: string | undefined;
  /** Envoy's `--config-yaml`, merged over the file. */
  readonly overrideYaml?: string | undefined;
}

/** Reads a configuration. Never throws: what is wrong with the file or its syntax is in `reasons`. */
export function readConfig(source: ConfigSource): ConfigDocument {
  const override = source.overrideYaml === undefined ? null : readText('--config-yaml', source.overrideYaml, null);
  if (source.text !== undefined) return readText(source.path ?? '(text)', source.text, override);
  if (source.path !== undefined) return readFile(source.path, override);
  return override ?? readText('(none)', '{}', null);
}

function readFile(path: string, override: ConfigDocument | null): ConfigDocument {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > fileBytesMax)
      return unreadable(path, '', `the file has ${size} bytes, at most ${fileBytesMax} are read`, -1, override);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return unreadable(path, '', `cannot read the file: ${fileErrors[code] ?? code}`, -1, override);
  }
  return readText(path, text, override);
}

const fileErrors: Record<string, string | undefined> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

function readText(path: string, given: string, override: ConfigDocument | null): ConfigDocument {
  const text = given.startsWith('\uFEFF') ? given.slice(1) : given;
  try {
    const value = isJson(path, text) ? readJson(text) : readYaml(text);
    if (value === undefined || value === null) return unreadable(path, text, 'the file is empty', -1, override);
    if (typeof value !== 'object' || Array.isArray(value))
      return unreadable(path, text, `must be an object of fields, found ${show(value)}`, 0, override);
    return { path, text, value, reasons: [], override };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return unreadable(path, text, error.message, error.offset, override);
  }
}

/** By the name, as Envoy decides; a name that says nothing, by how the text begins. */
function isJson(path: string, text: string): boolean {
  if (/\.ya?ml$/i.test(path)) return false;
  if (/\.json$/i.test(path)) return true;
  return /^\s*\{/.test(text) && path !== '--config-yaml';
}

function readYaml(text: string): ConfigValue | undefined {
  return valueOf(text, eventsOf(text), plainYaml);
}

/** JSON, and what Envoy's reader takes for JSON: single quotes, keys without quotes, a comma at the end. */
function readJson(text: string): ConfigValue | undefined {
  if (!/\d{16}/.test(text)) {
    try {
      return JSON.parse(text) as ConfigValue;
    } catch {
      // Read again below, for what is lenient and for the place of what is wrong.
    }
  }
  const events = eventsOf(text);
  if (events.length > 1 && !isFlowMapping(events)) throw new TextError('JSON must begin with {', 0);
  return valueOf(text, events, plainJson);
}

function unreadable(
  path: string,
  text: string,
  message: string,
  offset: number,
  override: ConfigDocument | null,
): ConfigDocument {
  return { path, text, value: null, reasons: [{ path: '', message, offset }], override };
}
