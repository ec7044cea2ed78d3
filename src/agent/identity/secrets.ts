import { AgentError } from '../agent-error.ts';
import type { Certified } from './ca-client.ts';
import { FileSecret, secretFilesOf, type FileSecretOptions, type SecretFiles } from './file-secrets.ts';
import { rootSecretName, workloadSecretName, type Secret, type SecretListener, type SecretSource } from './secret.ts';

/** More names than a gateway with a certificate per host asks for. */
const fileSecretsMax = 10_000;

export interface SecretsOptions extends Pick<
  FileSecretOptions,
  'revokedPath' | 'settleMs' | 'later' | 'random' | 'log'
> {
  /** Files in which the workload's own stand, by name; a name that is not there is the CA's. */
  readonly workloadFiles: ReadonlyMap<string, SecretFiles>;
  /** Whether a CA is asked for what is in no files. */
  readonly hasCa: boolean;
  /** Roots of the system; empty: unknown. */
  readonly systemRootsPath: string;
}

/** All that the agent can certify: the workload's certificate and roots, and whatever files are named. */
export class Secrets implements SecretSource {
  private readonly options: SecretsOptions;
  private readonly files: Map<string, FileSecret>;
  private readonly listeners: Set<SecretListener>;
  private certified: Certified | null;
  /** PEM of roots that the control plane adds. */
  private moreRoots: readonly string[];

  constructor(options: SecretsOptions) {
    this.options = options;
    this.files = new Map();
    this.listeners = new Set();
    this.certified = null;
    this.moreRoots = [];
  }

  /** @throws AgentError for a name that there is not */
  secret(name: string): Secret | null {
    const files = this.options.workloadFiles.get(name) ?? secretFilesOf(name, this.options.systemRootsPath);
    if (files !== null) {
      const secret = this.fileSecret(name, files).current;
      return secret?.kind === 'roots' && name === rootSecretName ? this.withMoreRoots(secret.roots) : secret;
    }
    if (name !== workloadSecretName && name !== rootSecretName) throw new AgentError(`there is no secret '${name}'`);
    if (!this.options.hasCa) throw new AgentError(`there is no secret '${name}': another serves the workload's`);
    if (this.certified === null) return null;
    if (name === rootSecretName) return this.withMoreRoots(this.certified.roots);
    return { kind: 'certificate', chain: this.certified.chain, key: this.certified.key };
  }

  onCertified(certified: Certified, hasNewRoots: boolean): void {
    this.certified = certified;
    this.tell(workloadSecretName);
    if (hasNewRoots) this.tell(rootSecretName);
  }

  /** Roots of the mesh's configuration, beside the CA's. */
  addRoots(roots: readonly string[]): void {
    if (roots.join('\n') === this.moreRoots.join('\n')) return;
    this.moreRoots = roots;
    this.tell(rootSecretName);
  }

  listen(listener: SecretListener): void {
    this.listeners.add(listener);
  }

  forget(listener: SecretListener): void {
    this.listeners.delete(listener);
  }

  close(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }

  private fileSecret(name: string, files: SecretFiles): FileSecret {
    const known = this.files.get(name);
    if (known !== undefined) return known;
    if (this.files.size >= fileSecretsMax) throw new AgentError(`more than ${fileSecretsMax} certificates in files`);
    const made = new FileSecret({ ...this.options, files, onChanged: () => this.tell(name) });
    this.files.set(name, made);
    return made;
  }

  private withMoreRoots(roots: string): Secret {
    const more = this.moreRoots.filter((root) => !roots.includes(root.trim()));
    const end = roots.endsWith('\n') ? '' : '\n';
    return {
      kind: 'roots',
      roots: more.length === 0 ? roots : `${roots}${end}${more.map((root) => `${root.trim()}\n`).join('')}`,
      revoked: this.options.revokedPath(),
    };
  }

  private tell(name: string): void {
    for (const listener of this.listeners) listener.onSecretChanged(name);
  }
}
