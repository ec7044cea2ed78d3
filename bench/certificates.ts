import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority, type Issued } from '../test/certificates.ts';

/** PEM files of one end. */
export interface EndFiles {
  readonly chain: string;
  readonly key: string;
  /** Both in one file, as HAProxy wants them. */
  readonly both: string;
}

/** What the proxies of a run show each other: P-256 and SPIFFE ids, as in a mesh. */
export interface CertificateFiles {
  readonly ca: string;
  /** The sidecar in front of the client, and that in front of the upstream, which also serves plain clients. */
  readonly out: EndFiles;
  readonly in: EndFiles;
}

export const inId = 'spiffe://bench.test/ns/default/sa/in';
export const outId = 'spiffe://bench.test/ns/default/sa/out';

/** Makes them below `directory`. */
export async function makeCertificates(directory: string): Promise<CertificateFiles> {
  const authority = await Authority.root('CN=Bench Root');
  const files = (name: string, { chainPem, keyPem }: Issued): EndFiles => ({
    chain: written(directory, `${name}.pem`, chainPem),
    key: written(directory, `${name}.key`, keyPem),
    both: written(directory, `${name}.both.pem`, chainPem + keyPem),
  });
  return {
    ca: written(directory, 'ca.pem', authority.rootPem),
    out: files('out', await authority.issue({ subject: 'CN=out', uris: [outId] })),
    in: files('in', await authority.issue({ subject: 'CN=in', uris: [inId], dns: ['bench.example.com'] })),
  };
}

function written(directory: string, name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}
