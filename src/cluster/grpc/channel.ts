import { readFileSync, statSync } from 'node:fs';
import type { CallCredentialData, ChannelData } from '../../identity/google-service-data.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';

/** A token has some kilobytes. */
const fileBytesMax = 1024 * 1024;

/** gRPC's statuses; Envoy has a counter for each. */
const statusMax = 16;

/** What stands in a field of a request, as gRPC allows it. */
const fieldValue = /^[\x20-\x7e]*$/;

/** What `google_grpc` says of the calls of a cluster: what each tells of who makes it, and where they are counted. */
export class Channel {
  private readonly credentials: readonly Credential[];
  private readonly opened: Counter;
  /** By status. */
  private readonly closed: readonly Counter[];

  /** @param root of all stats */
  constructor({ statPrefix, credentials }: ChannelData, root: StatsScope) {
    const scope = root.scope('grpc').scope(statPrefix);
    this.credentials = credentials.map((data) => new Credential(data));
    this.opened = scope.counter('streams_total');
    this.closed = Array.from({ length: statusMax + 1 }, (_, status) => scope.counter(`streams_closed_${status}`));
  }

  /** Fields of the next call; a sentence where it cannot be made. Counts it. */
  open(): readonly (readonly [string, string])[] | string {
    this.opened.inc();
    const fields: (readonly [string, string])[] = [];
    for (const credential of this.credentials) {
      const value = credential.read();
      if (!fieldValue.test(value)) return credential.problem;
      fields.push([credential.key, value]);
    }
    return fields;
  }

  /** A call ended with this status. */
  close(status: number): void {
    // What is none of gRPC's counts as unknown.
    (this.closed[status] ?? this.closed[2]).inc();
  }
}

/** Not a text that may stand in a field. */
const unreadable = '\n';

class Credential {
  readonly key: string;
  private readonly data: CallCredentialData;
  /** Of the file when it was read: another number is another file, or another content. */
  private stamp: string;
  private value: string;

  constructor(data: CallCredentialData) {
    this.key = data.key;
    this.data = data;
    this.stamp = '';
    this.value = data.source.kind === 'text' ? this.whole(data.source.text) : unreadable;
  }

  get problem(): string {
    const { source } = this.data;
    return source.kind === 'file'
      ? `there is no token that can be told in ${source.path}`
      : `what is to be told as ${this.key} may not stand in a field`;
  }

  /** As it is now. Files are small and in memory: that they are the same costs some microseconds for each call. */
  read(): string {
    const { source } = this.data;
    if (source.kind === 'text') return this.value;
    try {
      const { mtimeMs, ctimeMs, ino, size } = statSync(source.path);
      const stamp = `${mtimeMs} ${ctimeMs} ${ino} ${size}`;
      if (stamp === this.stamp) return this.value;
      this.stamp = stamp;
      this.value = size > fileBytesMax ? unreadable : this.whole(readFileSync(source.path, 'latin1'));
    } catch {
      this.stamp = '';
      this.value = unreadable;
    }
    return this.value;
  }

  /** Editors end a file with a line's end. */
  private whole(text: string): string {
    return this.data.prefix + text.replace(/[\r\n]+$/, '');
  }
}
