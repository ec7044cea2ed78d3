import { readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { DataSource } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { Secret } from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';

/** Bytes of one certificate, key or bundle. */
const fileBytesMax = 16 * 1024 * 1024;

/** Files may be moved over one after the other: they count when two readings in turn are alike. */
const readingsMax = 5;

/** What must be watched for a secret to be read anew. */
export interface WatchedPlace {
  readonly directory: string;
  /** Null: whatever is moved there. */
  readonly name: string | null;
}

/** The files that a Secret names, by their fields. */
export interface SecretFiles {
  /** `tls_certificate.private_key` → path. */
  readonly paths: ReadonlyMap<string, string>;
  readonly watched: readonly WatchedPlace[];
}

/** Which files a Secret is made of, and where changes show: their own folders, or the one that it names. */
export function filesOf(secret: Secret): SecretFiles {
  const paths = new Map<string, string>();
  for (const { field, source } of dataSourcesOf(secret)) {
    if (source.specifier.case === 'filename') paths.set(field, source.specifier.value);
  }
  const directories = new Set(dataSourcesOf(secret).map(({ source }) => source.watchedDirectory?.path ?? ''));
  directories.add(watchedDirectoryOf(secret)).delete('');
  const own = [...new Set(paths.values())].map((path) => ({ directory: dirname(path), name: basename(path) }));
  return {
    paths,
    watched: directories.size === 0 ? own : [...directories].map((directory) => ({ directory, name: null })),
  };
}

/**
 * Puts what the files have in the place of their names, so that what is decoded is what was read at one moment.
 * @returns a sentence where a file cannot be read or they do not come to rest
 */
export function takeInFiles(secret: Secret): string {
  const sources = dataSourcesOf(secret).filter(({ source }) => source.specifier.case === 'filename');
  if (sources.length === 0) return '';
  const read = (): Buffer[] => sources.map(({ source }) => readFile(source.specifier.value as string));
  try {
    let before = read();
    for (let reading = 1; reading < readingsMax; reading++) {
      const now = read();
      if (now.every((bytes, i) => bytes.equals(before[i]))) {
        for (const [i, { source }] of sources.entries()) source.specifier = { case: 'inlineBytes', value: now[i] };
        return '';
      }
      before = now;
    }
    return `the files ${sources.map(({ source }) => source.specifier.value as string).join(', ')} are being written`;
  } catch (error) {
    return (error as Error).message;
  }
}

function readFile(path: string): Buffer {
  let size: number;
  try {
    ({ size } = statSync(path));
  } catch (error) {
    // The first two words are Envoy's.
    throw new Error(`Invalid path: ${path} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`, {
      cause: error,
    });
  }
  if (size > fileBytesMax) throw new Error(`${path} has ${size} bytes, at most ${fileBytesMax} are read`);
  return readFileSync(path);
}

function watchedDirectoryOf({ type }: Secret): string {
  if (type.case === 'tlsCertificate' || type.case === 'validationContext')
    return type.value.watchedDirectory?.path ?? '';
  return '';
}

interface NamedSource {
  readonly field: string;
  readonly source: DataSource;
}

function dataSourcesOf({ type }: Secret): NamedSource[] {
  const found: NamedSource[] = [];
  const add = (field: string, source: DataSource | undefined): void => {
    if (source !== undefined) found.push({ field, source });
  };
  switch (type.case) {
    case 'tlsCertificate':
      add('tls_certificate.certificate_chain', type.value.certificateChain);
      add('tls_certificate.private_key', type.value.privateKey);
      add('tls_certificate.pkcs12', type.value.pkcs12);
      add('tls_certificate.password', type.value.password);
      add('tls_certificate.ocsp_staple', type.value.ocspStaple);
      break;
    case 'validationContext':
      add('validation_context.trusted_ca', type.value.trustedCa);
      add('validation_context.crl', type.value.crl);
      break;
    case 'sessionTicketKeys':
      for (const [i, key] of type.value.keys.entries()) add(`session_ticket_keys.keys[${i}]`, key);
      break;
    case 'genericSecret':
      add('generic_secret.secret', type.value.secret);
      for (const [name, source] of Object.entries(type.value.secrets)) add(`generic_secret.secrets[${name}]`, source);
      break;
    default:
  }
  return found;
}
