import { isDeepStrictEqual } from '../../core/deep-equal.ts';
import type { Clock } from '../../core/clock.ts';
import type { SecretData } from '../../identity/secret-data.ts';
import type { SecretSourceData } from '../../identity/secret-source-data.ts';
import type { Log } from '../../observe/log/log.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { SecretSchema, type Secret } from '../../proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { create } from '../../proto/protobuf.js';
import type { DirectoryWatches } from '../xds/directory-watches.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../xds/resource-kind.ts';
import type { WatchedPlace } from './secret-files.ts';
import { readSecret, type ReadSecret, type SecretDecoder } from './secret-reader.ts';

export interface SecretSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly watches: DirectoryWatches;
  readonly decode: SecretDecoder;
  /** It is another now. */
  onChanged(secret: DynamicSecret): void;
  /** It has come, or is not to be waited for any longer. */
  onReady(): void;
}

/** A secret as `/config_dump` shows it. */
export interface ShownSecret {
  readonly message: Secret;
  readonly version: string;
  readonly updatedEpochMs: number;
}

/** Envoy's word for the version of a secret that has not come yet. */
const noVersion = 'uninitialized';

/** One secret that may become another: by SDS, or because the files change that it is made of. */
export class DynamicSecret implements SubscriptionUser {
  readonly source: SecretSourceData;
  /** Null: none has come yet. */
  data: SecretData | null;
  /** Of what has come by SDS; before, only its name. */
  shown: ShownSecret;
  /** What uses it need not wait any longer. */
  isReady: boolean;
  private readonly surroundings: SecretSurroundings;
  private readonly keyRotationFailed: Counter | null;
  /** Null: it is written in the configuration. */
  subscription: Subscription | null;
  /** As it was given, with the files by name. */
  private packed: Uint8Array | null;
  private watched: readonly WatchedPlace[];
  private unwatch: (() => void)[];

  /** `keyRotationFailed`: null where Envoy has no such stat, for what is written in the configuration. */
  constructor(source: SecretSourceData, keyRotationFailed: Counter | null, surroundings: SecretSurroundings) {
    this.source = source;
    this.data = null;
    this.shown = {
      message: create(SecretSchema, { name: source.name }),
      version: noVersion,
      updatedEpochMs: surroundings.clock.epochMs,
    };
    this.isReady = false;
    this.surroundings = surroundings;
    this.keyRotationFailed = keyRotationFailed;
    this.subscription = null;
    this.packed = null;
    this.watched = [];
    this.unwatch = [];
    const { from } = source;
    if (from.kind !== 'files') return;
    this.data = from.initial;
    this.packed = from.message;
    this.isReady = true;
  }

  start(): void {
    const { from } = this.source;
    if (from.kind === 'files') this.watch(from.directories.map((directory) => ({ directory, name: null })));
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
    this.watch([]);
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    const { name, kind } = this.source;
    if (resources.length === 0) return `Missing SDS resources for ${name} in onConfigUpdate()`;
    if (resources.length > 1) return `Unexpected SDS secrets length: ${resources.length}`;
    const [resource] = resources;
    if (resource.name !== name) return `Unexpected SDS secret (expecting ${name}): ${resource.name}`;
    const read = readSecret(resource.packed, kind, this.surroundings.decode);
    if (typeof read === 'string') return `secret '${name}': ${read}`;
    this.packed = resource.packed;
    this.take(read, version);
    this.watch(read.watched);
    return '';
  }

  onGivenUp(): void {
    this.ready();
  }

  // ---- inside

  /** The files are others, perhaps. */
  private reread(): void {
    const { name, kind, from } = this.source;
    const read = readSecret(this.packed!, kind, this.surroundings.decode, from.kind === 'files');
    if (typeof read !== 'string') {
      this.take(read, this.shown.version);
      return;
    }
    this.keyRotationFailed?.inc();
    const what = from.kind === 'files' ? 'the configured secret' : 'secret';
    this.surroundings.log.warn(`Failed to reload certificates: ${what} '${name}': ${read}; the old one stays`);
  }

  private take({ data, message }: ReadSecret, version: string): void {
    const { clock } = this.surroundings;
    const isSame = isDeepStrictEqual(this.data, data);
    if (!isSame || this.shown.version !== version) this.shown = { message, version, updatedEpochMs: clock.epochMs };
    if (!isSame) {
      this.data = data;
      this.surroundings.onChanged(this);
    }
    this.ready();
  }

  private ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.surroundings.onReady();
  }

  private watch(places: readonly WatchedPlace[]): void {
    if (isDeepStrictEqual(places, this.watched)) return;
    for (const unwatch of this.unwatch) unwatch();
    this.watched = places;
    const changed = (): void => this.reread();
    this.unwatch = places.map(({ directory, name }) => this.surroundings.watches.watch(directory, name, changed));
  }
}
