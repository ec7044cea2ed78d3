/**
 * istiod's certificate authority, for node proxies.
 *
 * `node bench/hbone/authority.ts <address> <port> <root file>` writes its root when it can be asked.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Istiod } from '../../test/istiod.ts';

const [address, port, rootFile] = process.argv.slice(2);
const { authority } = await Istiod.start({ address, port: Number(port) });
writeFileSync(`${rootFile}.new`, authority.rootPem);
renameSync(`${rootFile}.new`, rootFile);
