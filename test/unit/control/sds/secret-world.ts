import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SecretDirectory } from '../../../../src/control/sds/secret-directory.ts';
import type { SecretChanges } from '../../../../src/control/sds/secret-changes.ts';
import { Subscriptions } from '../../../../src/control/xds/subscriptions.ts';
import { decodeSecret } from '../../../../src/identity/decode/secret-decode.ts';
import type { ConfigSourceData } from '../../../../src/identity/config-source-data.ts';
import type { CertificateSecret, SecretData } from '../../../../src/identity/secret-data.ts';
import type { SecretSourceData } from '../../../../src/identity/secret-source-data.ts';
import type { Issued } from '../../../certificates.ts';
import { apiSource, XdsWorld } from '../xds/xds-world.ts';

/** A directory of secrets in a main thread, and what it has told the workers. */
export class SecretWorld {
  readonly xds = new XdsWorld();
  readonly directory: SecretDirectory;
  readonly told: SecretChanges[] = [];
  private waiting: (() => void) | null = null;

  constructor() {
    const { xds } = this;
    this.directory = new SecretDirectory({
      clock: xds.clock,
      log: xds.log,
      watches: xds.watches,
      subscriptions: new Subscriptions(xds),
      stats: xds.stats,
      setText: (name, value) => xds.store.setText(name, value),
      decode: decodeSecret,
      onChanges: (changes) => {
        this.told.push(changes);
        this.waiting?.();
      },
    });
    onTestFinished(() => this.directory.stop());
  }

  /** Waits until the workers have been told so often. */
  async changes(count: number): Promise<readonly SecretChanges[]> {
    while (this.told.length < count) await new Promise<void>((resolve) => (this.waiting = resolve));
    return this.told;
  }

  /** Of the newest certificate that the workers have under this key. */
  chainOf(key: string): string {
    const secret = this.directory.get(key) as CertificateSecret | null;
    return secret?.chainPem ?? '';
  }
}

export function sdsSecret(
  name: string,
  from: ConfigSourceData['from'],
  kind: SecretData['kind'] = 'certificate',
  initialFetchTimeoutMs = 0,
): SecretSourceData {
  return { key: `sds/${name}`, name, kind, from: { kind: 'sds', source: { initialFetchTimeoutMs, from } } };
}

export function grpcSecret(name: string, kind: SecretData['kind'] = 'certificate', timeoutMs = 0): SecretSourceData {
  return sdsSecret(name, apiSource('sds'), kind, timeoutMs);
}

export function pathSecret(name: string, path: string): SecretSourceData {
  return sdsSecret(name, { kind: 'path', path, watchedDirectory: '' });
}

/** A tls_certificate with everything in it. */
export function inline({ chainPem, keyPem }: Issued): object {
  return {
    tls_certificate: { certificate_chain: { inline_string: chainPem }, private_key: { inline_string: keyPem } },
  };
}

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sekisho-secrets-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** As `mv` replaces a file. */
export function put(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** A file that holds a DiscoveryResponse with one secret. */
export function putResponse(path: string, name: string, secret: object, version = '1'): void {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  put(path, JSON.stringify({ version_info: version, resources: [{ '@type': type, name, ...secret }] }));
}
