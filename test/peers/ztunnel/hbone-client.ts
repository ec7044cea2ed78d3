/** In a pod outside the mesh, with a certificate of it: what a proxy answers to CONNECTs. `node hbone-client.ts host certificates authority…` */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';

const [host, certificates, ...authorities] = process.argv.slice(2);
const read = (name: string): Buffer => readFileSync(join(certificates, name));
const session = connect(`https://${host}:15008`, {
  cert: read('chain.pem'),
  key: read('key.pem'),
  ca: read('roots.pem'),
  ALPNProtocols: ['h2'],
  // It has the name of an identity, not of a host.
  checkServerIdentity: () => undefined,
});
session.on('error', (error) => {
  console.log(JSON.stringify(String(error)));
  process.exit(0);
});

async function answered(authority: string): Promise<number> {
  const stream = session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false });
  const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
  stream.on('error', () => {});
  stream.close();
  return headers[':status'];
}

const seen: Record<string, unknown> = {};
for (const authority of authorities)
  seen[authority] = await answered(authority).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
console.log(JSON.stringify(seen));
process.exit(0);
