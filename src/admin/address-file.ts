import { renameSync, writeFileSync } from 'node:fs';
import { formatAddress, type Address } from '../core/peer.ts';

/**
 * Writes where the admin pages are, for `--admin-address-path`. Whole or not at all: who waits for the file must not
 * read half an address.
 * @throws Error when the file cannot be written
 */
export function writeAddressFile(path: string, address: Address): void {
  const draft = `${path}.tmp`;
  writeFileSync(draft, formatAddress(address));
  renameSync(draft, path);
}
