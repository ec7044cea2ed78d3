import { closeSync, openSync, writeSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';
import type { KeyLogData } from '../../../identity/tls-context-data.ts';
import type { TlsPeer } from '../tls-peer.ts';

/** Secrets of handshakes for debuggers, in NSS's format. Written at once: whoever turns this on looks on. */
export class KeyLog {
  private readonly file: number;
  private readonly local: BlockList | null;
  private readonly remote: BlockList | null;

  /** Throws where the file cannot be opened. */
  constructor({ path, localRanges, remoteRanges }: KeyLogData) {
    this.file = openSync(path, 'a', 0o600);
    this.local = ranges(localRanges);
    this.remote = ranges(remoteRanges);
  }

  log(peer: TlsPeer, line: string): void {
    if (!holds(this.local, peer.local.host) || !holds(this.remote, peer.remote.host)) return;
    writeSync(this.file, `${line}\n`);
  }

  close(): void {
    closeSync(this.file);
  }
}

function ranges(configured: KeyLogData['localRanges']): BlockList | null {
  if (configured.length === 0) return null;
  const list = new BlockList();
  for (const { address, length } of configured) list.addSubnet(address, length, isIPv6(address) ? 'ipv6' : 'ipv4');
  return list;
}

function holds(list: BlockList | null, host: string): boolean {
  return list === null || list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}
