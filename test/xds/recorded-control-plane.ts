/** Plays the control plane of a recording: what istiod and its agent have sent, byte for byte. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { packedName } from '../../src/control/xds/protocol/packed-name.ts';
import { fromBinary } from '../../src/proto/protobuf.js';
import { secretKind } from '../../src/control/xds/resource-kinds.ts';
import { UnrecordedSecrets } from './unrecorded-secrets.ts';
import { isDelta, namesOf, XdsServer, type XdsPeer, type XdsRequest } from './xds-server.ts';

const recordings = join(import.meta.dirname, '../fixtures/istiod-1.29.6');

/** One response as it was recorded. */
export interface RecordedResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Of its resources. */
  readonly names: readonly string[];
  readonly bytes: Uint8Array;
}

/** Every node that was recorded: `sidecar-tcp-echo`, `sidecar-client-productpage/plain`, `ambient/waypoint` … */
export function recordedNodes(): readonly string[] {
  const folders = readdirSync(recordings, { recursive: true, withFileTypes: true });
  return folders
    .filter((entry) => entry.isDirectory() && entry.name === 'delta')
    .map(({ parentPath }) => parentPath.slice(recordings.length + 1))
    .toSorted();
}

/** What is made of a recorded response of a delta session before it is played. */
export type Rewritten = (typeUrl: string, bytes: Uint8Array) => Uint8Array;

/** @param session `sotw`, `delta` or `sds-agent`; none where there is no such folder */
export function recorded(
  node: string,
  session: string,
  rewritten: Rewritten = (_, bytes) => bytes,
): readonly RecordedResponse[] {
  let files: string[];
  try {
    files = readdirSync(join(recordings, node, session)).toSorted();
  } catch {
    return [];
  }
  return files.map((file) => {
    const asItIs = gunzipSync(readFileSync(join(recordings, node, session, file)));
    if (session === 'delta') {
      const bytes = rewritten(fromBinary(DeltaDiscoveryResponseSchema, asItIs).typeUrl, asItIs);
      const { typeUrl, nonce, resources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      return { typeUrl, nonce, names: resources.map(({ name }) => name), bytes };
    }
    const { typeUrl, nonce, resources } = fromBinary(DiscoveryResponseSchema, asItIs);
    return { typeUrl, nonce, names: resources.map(({ value }) => packedName(value)), bytes: asItIs };
  });
}

/** What a client said to a recorded response. */
export interface Verdict {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Empty: it was taken. */
  readonly refusal: string;
}

/**
 * Answers each type that is asked for with what was recorded of it, over ADS and the types' own services; and secrets as
 * the agent, also those that nobody has recorded. Who asks for a name that was not asked for before is told what was
 * recorded once more.
 */
export class RecordedControlPlane {
  server!: XdsServer;
  /** In the order in which they came. */
  readonly verdicts: Verdict[];
  private readonly sotw: readonly RecordedResponse[];
  private readonly delta: readonly RecordedResponse[];
  /** Names that each stream has asked for, by type. */
  private readonly asked: Map<XdsPeer, Map<string, Set<string>>>;

  private readonly secrets: UnrecordedSecrets;

  private constructor(node: string, rewritten?: Rewritten) {
    const own = recorded(node, 'sds-agent');
    const secrets = own.length > 0 ? own : recorded('sidecar-client-productpage', 'sds-agent');
    this.secrets = new UnrecordedSecrets(secrets.map(({ bytes }) => bytes));
    this.verdicts = [];
    this.sotw = [...recorded(node, 'sotw'), ...secrets];
    this.delta = recorded(node, 'delta', rewritten);
    this.asked = new Map();
  }

  /** As `open`; ends with the test. */
  static async start(node: string, at?: string): Promise<RecordedControlPlane> {
    const { onTestFinished } = await import('vitest');
    const own = await RecordedControlPlane.open(node, at);
    onTestFinished(() => own.server.stop());
    return own;
  }

  /**
   * Until `server.stop()`.
   * @param node one of `recordedNodes`
   * @param at `127.0.0.1:0`, or `unix:` and a path
   */
  static async open(node: string, at = '127.0.0.1:0', rewritten?: Rewritten): Promise<RecordedControlPlane> {
    const own = new RecordedControlPlane(node, rewritten);
    own.server = await XdsServer.start((peer, request) => own.onRequest(peer, request), at);
    return own;
  }

  get port(): number {
    return this.server.port;
  }

  /** Of a type's own recorded response: resolves when it was taken or refused. */
  async verdict(typeUrl: string): Promise<Verdict> {
    const find = (): Verdict | undefined => this.verdicts.find((verdict) => verdict.typeUrl === typeUrl);
    await this.server.until(() => find() !== undefined);
    return find()!;
  }

  /** Empty: all that was answered was taken. */
  get refusals(): readonly Verdict[] {
    return this.verdicts.filter(({ refusal }) => refusal !== '');
  }

  private onRequest(peer: XdsPeer, request: XdsRequest): void {
    const { typeUrl, responseNonce, errorDetail } = request;
    if (responseNonce !== '')
      this.verdicts.push({ typeUrl, nonce: responseNonce, refusal: errorDetail?.message ?? '' });
    const ofPeer = this.asked.get(peer) ?? new Map<string, Set<string>>();
    this.asked.set(peer, ofPeer);
    const known = ofPeer.get(typeUrl);
    const names = namesOf(request);
    ofPeer.set(typeUrl, new Set([...(known ?? []), ...names]));
    const fresh = names.filter((name) => known === undefined || !known.has(name));
    if (known !== undefined && fresh.length === 0) return;
    const answers = this.answers(request, fresh);
    for (const { bytes } of answers) peer.write(bytes);
    const unrecorded = fresh.filter((name) => !answers.some((answer) => answer.names.includes(name)));
    if (typeUrl === secretKind.typeUrl && unrecorded.length > 0)
      peer.write(this.secrets.answer(unrecorded, peer.isDelta));
  }

  /** Later answers of a type are those to other names. */
  private answers(request: XdsRequest, fresh: readonly string[]): readonly RecordedResponse[] {
    const all = (isDelta(request) ? this.delta : this.sotw).filter(({ typeUrl }) => typeUrl === request.typeUrl);
    if (fresh.length === 0) return all.slice(0, 1);
    return all.filter(({ names }) => names.some((name) => fresh.includes(name)));
  }
}
