import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { certificatesOfPem } from '../../identity/pem.ts';
import type { Log } from '../../observe/log/log.ts';
import { GrowingWait, type Later } from './later.ts';
import type { Secret } from './secret.ts';

/** Where a secret is read from. */
export type SecretFiles =
  | { readonly kind: 'certificate'; readonly chainPath: string; readonly keyPath: string }
  | { readonly kind: 'roots'; readonly rootsPath: string };

const certificatePrefix = 'file-cert:';
const rootPrefix = 'file-root:';
const systemRoots = 'file-root:system';
const separator = '~';

/** `file-cert:chain~key`, `file-root:path`, `file-root:system`. Null: no such name. */
export function secretFilesOf(name: string, systemRootsPath: string): SecretFiles | null {
  if (name === systemRoots) return systemRootsPath === '' ? null : { kind: 'roots', rootsPath: systemRootsPath };
  if (name.startsWith(rootPrefix)) {
    const rootsPath = name.slice(rootPrefix.length);
    return rootsPath === '' || rootsPath.includes(separator) ? null : { kind: 'roots', rootsPath };
  }
  if (!name.startsWith(certificatePrefix)) return null;
  const [chainPath, keyPath, ...rest] = name.slice(certificatePrefix.length).split(separator);
  if (chainPath === '' || keyPath === undefined || keyPath === '' || rest.length > 0) return null;
  return { kind: 'certificate', chainPath, keyPath };
}

/** @throws Error with what is wrong: no file, no certificate, a key of another */
export function readSecretFiles(files: SecretFiles, revokedPath: string): Secret {
  if (files.kind === 'roots') {
    const roots = readFileSync(files.rootsPath, 'utf8');
    if (certificatesOfPem(roots).length === 0) throw new Error(`${files.rootsPath} has no certificate`);
    return { kind: 'roots', roots, revoked: revokedPath };
  }
  const chain = readFileSync(files.chainPath, 'utf8');
  const key = readFileSync(files.keyPath, 'utf8');
  if (!new X509Certificate(chain).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${files.keyPath} is not the key of ${files.chainPath}`);
  return { kind: 'certificate', chain, key };
}

export interface FileSecretOptions {
  readonly files: SecretFiles;
  /** The list of what is revoked, as it is named to the proxy; empty: there is none. */
  readonly revokedPath: () => string;
  /** What follows within this belongs to one change (FILE_DEBOUNCE_DURATION). */
  readonly settleMs: number;
  readonly later: Later;
  readonly random: () => number;
  readonly log: Log;
  readonly onChanged: () => void;
}

/** A secret in files, which are looked at again when anything moves in their folders. */
export class FileSecret {
  /** Null: the files cannot be used yet. */
  current: Secret | null;
  private readonly options: FileSecretOptions;
  private readonly wait: GrowingWait;
  private readonly watchers: FSWatcher[];
  private callOff: (() => void) | null;
  /** Whoever makes it sees what it has. */
  private isMade: boolean;

  constructor(options: FileSecretOptions) {
    this.options = options;
    this.current = null;
    this.wait = new GrowingWait(options.random);
    this.watchers = [];
    this.callOff = null;
    this.isMade = false;
    this.read();
    this.isMade = true;
  }

  close(): void {
    this.callOff?.();
    for (const watcher of this.watchers) watcher.close();
  }

  /** What is there stays until what is there now can be used. */
  private read(): void {
    const { files, later, log, onChanged, revokedPath } = this.options;
    this.callOff?.();
    this.callOff = null;
    try {
      if (this.watchers.length === 0) this.watch();
      const secret = readSecretFiles(files, revokedPath());
      this.wait.reset();
      if (JSON.stringify(secret) === JSON.stringify(this.current)) return;
      const isFirst = this.current === null;
      this.current = secret;
      log.info(`${isFirst ? 'read' : 'read anew'}: ${Object.values(files).slice(1).join(', ')}`);
      if (this.isMade) onChanged();
    } catch (error) {
      const waitMs = this.wait.next();
      log.warn(
        `a certificate in files cannot be used: ${(error as Error).message}; tried again in ${Math.round(waitMs)} ms`,
      );
      this.callOff = later.after(waitMs, () => this.read());
    }
  }

  private watch(): void {
    const { files } = this.options;
    const paths = files.kind === 'roots' ? [files.rootsPath] : [files.chainPath, files.keyPath];
    for (const folder of new Set(paths.map((path) => dirname(path)))) {
      const watcher = watch(folder, { persistent: false }, () => this.onMoved());
      watcher.on('error', () => this.onMoved());
      this.watchers.push(watcher);
    }
  }

  private onMoved(): void {
    this.callOff?.();
    this.callOff = this.options.later.after(this.options.settleMs, () => this.read());
  }
}
