import { readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readConfig } from '../../config/document.ts';
import { isRefused, parseMessage } from '../../config/parse.ts';
import { place } from '../../config/place.ts';
import type { Clock } from '../../core/clock.ts';
import type { PathSourceData } from '../../identity/config-source-data.ts';
import type { Log } from '../../observe/log/log.ts';
import {
  DiscoveryResponseSchema,
  type DiscoveryResponse,
} from '../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { DirectoryWatches } from './directory-watches.ts';
import { openResources } from './protocol/discovery.ts';
import type { ResourceKind, Subscription, SubscriptionUser } from './resource-kind.ts';
import type { SubscriptionStats } from './subscription-stats.ts';

export interface PathSurroundings {
  readonly clock: Clock;
  readonly watches: DirectoryWatches;
  readonly log: Log;
  /** Does what belongs to an entry into the event loop. */
  entered(act: () => void): void;
  /** Loads what a resource needs before it can be read. @returns null: it is there already */
  prepare(packed: Uint8Array): Promise<void> | null;
}

/** Bytes of a file in protobuf. */
const fileBytesMax = 256 * 1024 * 1024;

/** Resources from a file that holds a DiscoveryResponse: read at the start, and whenever it is moved over. */
export class PathSubscription implements Subscription {
  private readonly kind: ResourceKind;
  private readonly source: PathSourceData;
  private readonly surroundings: PathSurroundings;
  private readonly user: SubscriptionUser;
  private readonly stats: SubscriptionStats;
  private unwatch: (() => void) | null;
  /** Readings so far: of what waits, only the newest counts. */
  private readings: number;

  constructor(
    kind: ResourceKind,
    source: PathSourceData,
    surroundings: PathSurroundings,
    user: SubscriptionUser,
    stats: SubscriptionStats,
  ) {
    this.kind = kind;
    this.source = source;
    this.surroundings = surroundings;
    this.user = user;
    this.stats = stats;
    this.unwatch = null;
    this.readings = 0;
  }

  start(): void {
    const { path, watchedDirectory } = this.source;
    const { watches } = this.surroundings;
    this.unwatch =
      watchedDirectory === ''
        ? watches.watch(dirname(path), basename(path), () => this.refresh())
        : watches.watch(watchedDirectory, null, () => this.refresh());
    this.refresh();
  }

  stop(): void {
    this.unwatch?.();
    this.unwatch = null;
  }

  /** A file has what it has: nobody is asked. */
  setNames(): void {}

  private refresh(): void {
    const { path } = this.source;
    const { surroundings } = this;
    const began = performance.now();
    const reading = ++this.readings;
    const response = this.read();
    if (typeof response === 'string') {
      this.stats.failed(this.stats.failure);
      surroundings.log.warn(`Filesystem config update failure: in ${path}, ${response}`);
      this.user.onGivenUp();
      return;
    }
    if (response instanceof Broken) {
      this.refuse(response.rules);
      return;
    }
    const waits = response.resources.map(({ value }) => surroundings.prepare(value)).filter((ready) => ready !== null);
    if (waits.length === 0) {
      this.take(response, began);
      return;
    }
    const go = (): void =>
      surroundings.entered(() => {
        if (this.unwatch !== null && reading === this.readings) this.take(response, began);
      });
    // What could not be loaded is refused by name when it is needed.
    Promise.all(waits).then(go, go);
  }

  private take({ resources, versionInfo }: DiscoveryResponse, began: number): void {
    const { clock } = this.surroundings;
    const opened = openResources(this.kind.typeUrl, resources, versionInfo, '');
    const refusal = typeof opened === 'string' ? opened : this.user.onResources(opened.resources, versionInfo);
    if (refusal === '') {
      this.stats.succeeded(versionInfo, clock.epochMs, performance.now() - began);
      return;
    }
    this.refuse(refusal);
  }

  private refuse(refusal: string): void {
    this.stats.failed(this.stats.rejected);
    this.surroundings.log.warn(`Filesystem config update rejected: in ${this.source.path}, ${refusal}`);
    this.user.onGivenUp();
  }

  /** A sentence where it cannot be read. */
  private read(): DiscoveryResponse | Broken | string {
    const { path } = this.source;
    if (path.toLowerCase().endsWith('.pb')) return readBinary(path);
    const document = readConfig({ path });
    const { message, reasons, isRead } = parseMessage(document, DiscoveryResponseSchema);
    if (!isRefused(reasons)) return message;
    const said = place(reasons, document)
      .filter(({ isWarning }) => isWarning !== true)
      .map(({ line, column, message: what }) => `line ${line}, column ${column}: ${what}`)
      .join('; ');
    return isRead ? new Broken(said) : said;
  }
}

/** It can be read, and breaks the rules of its protos: Envoy counts it as refused. */
class Broken {
  readonly rules: string;

  constructor(rules: string) {
    this.rules = rules;
  }
}

function readBinary(path: string): DiscoveryResponse | string {
  try {
    if (statSync(path).size > fileBytesMax) return `the file has more than ${fileBytesMax} bytes`;
    return fromBinary(DiscoveryResponseSchema, readFileSync(path));
  } catch (error) {
    return (error as Error).message;
  }
}
