import { readFileSync, statSync } from 'node:fs';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { DataSourceSchema, WatchedDirectorySchema, type DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';

const supported = new SupportedFields(DataSourceSchema, [
  'filename',
  'inline_bytes',
  'inline_string',
  'environment_variable',
  'watched_directory',
]);
export const watchedDirectoryFields = new SupportedFields(WatchedDirectorySchema, ['path']);

/** Bytes of one certificate, key or bundle: the bundles of whole public key infrastructures have less than one MiB. */
const bytesMax = 16 * 1024 * 1024;

/** What a DataSource held when it was read. */
export interface ReadSource {
  readonly bytes: Uint8Array;
  /** Envoy's word for where it came from: a file's name, `<inline>`, empty where there is nothing. */
  readonly origin: string;
  /** Why there is nothing, where a file or variable should have had something; else empty. */
  readonly problem: string;
}

const encoder = new TextEncoder();

const nothing: ReadSource = { bytes: new Uint8Array(0), origin: '', problem: '' };

/** Reads the sources of one secret, and remembers which folders they are watched in. */
export class SourceReader {
  /** Of `watched_directory`, wherever in the secret it stands. */
  readonly directories: Set<string>;

  constructor() {
    this.directories = new Set();
  }

  read(source: DataSource | undefined, reasons: Reasons): ReadSource {
    if (source === undefined) return nothing;
    supported.check(source, reasons);
    const { specifier, watchedDirectory } = source;
    this.watch(watchedDirectory?.path);
    switch (specifier.case) {
      case 'filename':
        return readFile(specifier.value, reasons);
      case 'inlineBytes':
        return inline(specifier.value);
      case 'inlineString':
        return inline(encoder.encode(specifier.value));
      case 'environmentVariable': {
        const value = process.env[specifier.value];
        if (value === undefined)
          return { ...nothing, problem: `Environment variable doesn't exist: ${specifier.value}` };
        return inline(encoder.encode(value));
      }
      default:
        return nothing;
    }
  }

  watch(directory: string | undefined): void {
    if (directory !== undefined && directory !== '') this.directories.add(directory);
  }
}

export function textOf({ bytes }: ReadSource): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** `: Invalid path …` behind a sentence that says what is missing; empty where nothing more is known. */
export function because({ problem }: ReadSource): string {
  return problem === '' ? '' : `: ${problem}`;
}

function inline(bytes: Uint8Array): ReadSource {
  // A copy: what travels to the workers must not take along a buffer that others share.
  return { bytes: new Uint8Array(bytes), origin: bytes.length === 0 ? '' : '<inline>', problem: '' };
}

function readFile(path: string, reasons: Reasons): ReadSource {
  try {
    const { size } = statSync(path);
    if (size > bytesMax) {
      reasons.add(`file ${path} size is ${size} bytes; maximum is ${bytesMax}`);
      return { ...nothing, origin: path };
    }
    return { bytes: new Uint8Array(readFileSync(path)), origin: path, problem: '' };
  } catch (error) {
    // The first two words are Envoy's.
    return { ...nothing, origin: path, problem: `Invalid path: ${path} (${(error as NodeJS.ErrnoException).code})` };
  }
}
