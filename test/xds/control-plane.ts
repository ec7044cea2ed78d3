/** A control plane of which the test says what it has: every stream is told what it asks for, and what changes. */
import { onTestFinished } from 'vitest';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
  type Resource,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { AnySchema, anyPack, create, toBinary } from '../../src/proto/protobuf.js';
import { isDelta, XdsServer, type XdsPeer, type XdsRequest } from './xds-server.ts';

interface Kept {
  readonly packed: Uint8Array;
  readonly version: string;
  readonly ttlMs: number;
}

/** How far one stream has come with one type. */
interface Told {
  /** Null: all. */
  names: Set<string> | null;
  /** What it was told last of each: delta. */
  readonly versions: Map<string, string>;
  version: string;
}

type StartOptions = Parameters<typeof XdsServer.start> extends [unknown, ...infer Rest] ? Rest : never;

/** What became of a response. */
export interface Verdict {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Empty: it was taken. */
  readonly refusal: string;
}

export class ControlPlane {
  server!: XdsServer;
  /** In the order in which they came. */
  readonly verdicts: Verdict[];
  private readonly types: Map<string, Map<string, Kept>>;
  private readonly told: Map<XdsPeer, Map<string, Told>>;
  private version: number;
  private nonce: number;

  private constructor() {
    this.verdicts = [];
    this.types = new Map();
    this.told = new Map();
    this.version = 0;
    this.nonce = 0;
  }

  /** Ends with the test. @param rest where it listens, and as whom: see `XdsServer.start` */
  static async start(...rest: StartOptions): Promise<ControlPlane> {
    const own = new ControlPlane();
    own.server = await XdsServer.start((peer, request) => own.asked(peer, request), ...rest);
    onTestFinished(() => own.server.stop());
    return own;
  }

  get port(): number {
    return this.server.port;
  }

  /** Sets these, removes those, and tells each who wants any in one response. Packed: `toBinary` of its message. */
  change(typeUrl: string, set: Readonly<Record<string, Uint8Array>>, removed: readonly string[] = [], ttlMs = 0): void {
    const resources = this.resources(typeUrl);
    const version = String(++this.version);
    for (const [name, packed] of Object.entries(set)) resources.set(name, { packed, version, ttlMs });
    for (const name of removed) resources.delete(name);
    for (const [peer, told] of this.told) {
      const one = told.get(typeUrl);
      if (one !== undefined && peer.isOpen) this.tell(peer, typeUrl, one, new Set([...Object.keys(set), ...removed]));
    }
  }

  /** Tells everyone, in the version that they have, that a resource goes on to live: state of the world. */
  beat(typeUrl: string, name: string, ttlMs: number): void {
    const resources = [anyPack(ResourceSchema, create(ResourceSchema, { name, ttl: duration(ttlMs) }))];
    const fields = { typeUrl, nonce: `n${++this.nonce}`, versionInfo: String(this.version), resources };
    const bytes = toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, fields));
    for (const [peer, told] of this.told) if (told.has(typeUrl)) peer.write(bytes);
  }

  /** Sends a resource of another type than the response says. */
  mistake(typeUrl: string, other: string): void {
    const nonce = `n${++this.nonce}`;
    const inner = create(AnySchema, { typeUrl: other });
    for (const [peer, told] of this.told) {
      if (!told.has(typeUrl)) continue;
      const delta = { typeUrl, nonce, resources: [create(ResourceSchema, { name: 'x', resource: inner })] };
      const sotw = { typeUrl, nonce, resources: [inner] };
      peer.write(
        peer.isDelta
          ? toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, delta))
          : toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, sotw)),
      );
    }
  }

  /** Resolves when so many responses of a type were taken or refused; with the last. */
  async verdict(typeUrl: string, count = 1): Promise<Verdict> {
    const of = (): Verdict[] => this.verdicts.filter((verdict) => verdict.typeUrl === typeUrl);
    await this.server.until(() => of().length >= count);
    return of()[count - 1];
  }

  /** Every stream ends; the clients will be back. */
  disconnect(): void {
    for (const peer of this.server.peers) if (peer.isOpen) peer.end();
  }

  private resources(typeUrl: string): Map<string, Kept> {
    const known = this.types.get(typeUrl);
    if (known !== undefined) return known;
    const made = new Map<string, Kept>();
    this.types.set(typeUrl, made);
    return made;
  }

  private asked(peer: XdsPeer, request: XdsRequest): void {
    const { typeUrl, responseNonce, errorDetail } = request;
    if (responseNonce !== '')
      this.verdicts.push({ typeUrl, nonce: responseNonce, refusal: errorDetail?.message ?? '' });
    const ofPeer = this.told.get(peer) ?? new Map<string, Told>();
    this.told.set(peer, ofPeer);
    const known = ofPeer.get(typeUrl);
    const one = known ?? { names: new Set(), versions: new Map(), version: '' };
    ofPeer.set(typeUrl, one);
    const wanted = isDelta(request) ? subscribe(one, request, known === undefined) : ask(one, request);
    if (known === undefined || wanted.length > 0) this.tell(peer, typeUrl, one, new Set(wanted));
  }

  private tell(peer: XdsPeer, typeUrl: string, told: Told, touched: ReadonlySet<string>): void {
    const all = this.resources(typeUrl);
    const names = told.names === null ? [...all.keys()] : [...told.names];
    const isTouched = told.names === null || [...touched].some((name) => told.names!.has(name));
    if (!isTouched) return;
    const has = names.filter((name) => all.has(name));
    const nonce = `n${++this.nonce}`;
    if (!peer.isDelta) {
      // Of what was asked for by name there must be something to say.
      if (has.length === 0 && told.names !== null) return;
      const resources = has.map((name) => this.packed(typeUrl, name, all.get(name)!));
      const fields = { typeUrl, nonce, versionInfo: String(this.version), controlPlane, resources };
      peer.write(toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, fields)));
      return;
    }
    const changed = has.filter((name) => told.versions.get(name) !== all.get(name)!.version);
    const candidates = told.names === null ? [...told.versions.keys()] : names;
    const removedResources = candidates.filter(
      (name) => !all.has(name) && (told.versions.has(name) || touched.has(name)),
    );
    for (const name of removedResources) told.versions.delete(name);
    for (const name of changed) told.versions.set(name, all.get(name)!.version);
    const resources = changed.map((name) => resource(typeUrl, name, all.get(name)!));
    const fields = {
      typeUrl,
      nonce,
      systemVersionInfo: String(this.version),
      controlPlane,
      resources,
      removedResources,
    };
    peer.write(toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, fields)));
  }

  private packed(typeUrl: string, name: string, kept: Kept) {
    if (kept.ttlMs === 0) return create(AnySchema, { typeUrl, value: kept.packed });
    return anyPack(ResourceSchema, resource(typeUrl, name, kept));
  }
}

const controlPlane = { identifier: 'test' };

function resource(typeUrl: string, name: string, { packed, version, ttlMs }: Kept): Resource {
  const inner = create(AnySchema, { typeUrl, value: packed });
  return create(ResourceSchema, { name, version, resource: inner, ...(ttlMs > 0 && { ttl: duration(ttlMs) }) });
}

function duration(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
}

/** @returns the names that are wanted anew */
function ask(told: Told, { resourceNames }: Extract<XdsRequest, { resourceNames: string[] }>): readonly string[] {
  const before = told.names;
  told.names = resourceNames.length === 0 || resourceNames.includes('*') ? null : new Set(resourceNames);
  return resourceNames.filter((name) => before === null || !before.has(name));
}

/** @returns the names that are wanted anew */
function subscribe(
  told: Told,
  request: Extract<XdsRequest, { resourceNamesSubscribe: string[] }>,
  isFirst: boolean,
): readonly string[] {
  const { resourceNamesSubscribe: names, resourceNamesUnsubscribe, initialResourceVersions } = request;
  if (isFirst) for (const [name, version] of Object.entries(initialResourceVersions)) told.versions.set(name, version);
  if (names.includes('*') || (isFirst && names.length === 0)) told.names = null;
  // Who asks anew has forgotten it.
  if (!isFirst) for (const name of names) told.versions.delete(name);
  if (told.names === null) return names;
  for (const name of names) told.names.add(name);
  for (const name of resourceNamesUnsubscribe) {
    told.names.delete(name);
    told.versions.delete(name);
  }
  return names;
}
