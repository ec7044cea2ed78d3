import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scenario/wait.ts';
import { freePorts, giveBack } from '../ports.ts';
import { Proxy, type ProxyKind } from '../proxy.ts';
import { GoControlPlane, type XdsEvent } from './control-plane.ts';
import { bootstrap, type Protocol, type Sharing } from './resources.ts';

/** One proxy that is configured by go-control-plane, and what it has asked for. */
export class Conversation {
  readonly plane: GoControlPlane;
  readonly proxy: Proxy;
  /** Nobody listens there before a listener comes. */
  readonly port: number;
  private readonly sharing: Sharing;
  private readonly ports: readonly number[];
  private readonly directory: string;

  private constructor(
    plane: GoControlPlane,
    proxy: Proxy,
    sharing: Sharing,
    ports: readonly number[],
    directory: string,
  ) {
    this.plane = plane;
    this.proxy = proxy;
    this.sharing = sharing;
    this.ports = ports;
    this.port = ports[0];
    this.directory = directory;
  }

  /** `prepare`: what the control plane has before the proxy starts. `hasClusters`: all that it has come by CDS. */
  static async start(
    kind: ProxyKind,
    protocol: Protocol,
    sharing: Sharing,
    hasRuntime: boolean,
    prepare: (plane: GoControlPlane, port: number) => Promise<void>,
    hasClusters = true,
  ): Promise<Conversation> {
    const plane = await GoControlPlane.start(sharing);
    const ports = await freePorts(2);
    await prepare(plane, ports[0]);
    const directory = mkdtempSync(join(tmpdir(), `sekisho-xds-${kind.name}-`));
    const file = join(directory, 'bootstrap.json');
    writeFileSync(file, JSON.stringify(bootstrap(protocol, sharing, hasRuntime, plane.port, ports[1], hasClusters)));
    const proxy = await Proxy.start(kind, file, ports[1], []);
    return new Conversation(plane, proxy, sharing, ports, directory);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.plane.stop();
    giveBack(this.ports);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Resolves when the newest response of each of these types was answered, and there is one of this version. */
  async answered(version: string, types: readonly string[]): Promise<void> {
    await this.plane.until(() => types.every((type) => this.isAnswered(version, type)));
  }

  /** Resolves when a stat is as it is wanted. */
  async stat(name: string, isIt: (value: number) => boolean): Promise<void> {
    await until(name, async () => isIt((await this.proxy.stats()).get(name) ?? 0));
  }

  /**
   * What was said of each type, or over each stream of its own, a line for a request; those that only repeat the one
   * before are left out, and which nonce they name: the control plane asks again at once whatever was refused.
   */
  get said(): Readonly<Record<string, readonly string[]>> {
    const said: Record<string, string[]> = {};
    for (const { topic, stream, event } of this.requests()) {
      const lines = (said[topic] ??= []);
      const line = lineOf(stream, event);
      if (lines.at(-1) !== line) lines.push(line);
    }
    return said;
  }

  /** Topics in the order in which each stream has asked for them first. Streams of their own are opened in any order. */
  get order(): readonly string[] {
    const order = [...new Set(this.requests().map(({ topic, stream }) => `#${stream} ${topic}`))];
    return this.sharing === 'ads' ? order : order.toSorted();
  }

  /** What each is about, and on the how manieth stream about it. */
  private requests(): readonly { readonly topic: string; readonly stream: number; readonly event: XdsEvent }[] {
    // The control plane's own numbers begin anew with its server.
    let opened = new Map<number, XdsEvent[]>();
    const streams = new Map<string, XdsEvent[][]>();
    return this.plane.events.flatMap((event) => {
      if (event.kind === 'disconnected' || event.kind === 'away') opened = new Map();
      if (event.kind !== 'request') return [];
      const requests = opened.get(event.stream) ?? [];
      opened.set(event.stream, requests);
      requests.push(event);
      const type = shortName(event.type!);
      const topic = this.sharing === 'ads' ? type : [type, ...(requests[0].names ?? [])].join(' ');
      const known = streams.get(topic) ?? [];
      streams.set(topic, known);
      if (!known.includes(requests)) known.push(requests);
      return [{ topic, stream: known.indexOf(requests) + 1, event }];
    });
  }

  private isAnswered(version: string, type: string): boolean {
    const { events } = this.plane;
    const isOne = ({ kind, type: typeUrl }: XdsEvent): boolean => kind === 'response' && shortName(typeUrl!) === type;
    if (events.findLast(isOne)?.version !== version) return false;
    return events.every((event, i) => {
      if (!isOne(event)) return true;
      const { stream } = event;
      return events.slice(i).some((later) => isAnswer(later, event) || isEnd(later, stream) || isNext(later, event));
    });
  }
}

function isAnswer(event: XdsEvent, { stream, type, nonce }: XdsEvent): boolean {
  return event.kind === 'request' && event.stream === stream && event.type === type && event.nonce === nonce;
}

/** The stream has ended. */
function isEnd({ kind, stream }: XdsEvent, of: number): boolean {
  return kind === 'disconnected' || kind === 'away' || (kind === 'close' && stream === of);
}

/** Another of the same kind came on the stream before it was answered: the newest counts. */
function isNext({ kind, stream, type, nonce }: XdsEvent, before: XdsEvent): boolean {
  return kind === 'response' && stream === before.stream && type === before.type && nonce !== before.nonce;
}

function shortName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}

/** Without nonces, and of hashes only whose they are. */
function lineOf(
  stream: number,
  { version, nonce, names = [], unsubscribe = [], initial = {}, error }: XdsEvent,
): string {
  const parts = [`#${stream}`];
  if (nonce !== undefined) parts.push(error === undefined ? 'answers' : `refuses: ${reasonOf(error)}`);
  if (version !== undefined) parts.push(`has ${version}`);
  if (names.length > 0) parts.push(`wants ${names.join(' ')}`);
  if (unsubscribe.length > 0) parts.push(`leaves ${unsubscribe.join(' ')}`);
  if (Object.keys(initial).length > 0) parts.push(`knows ${Object.keys(initial).toSorted().join(' ')}`);
  return parts.join(', ');
}

/** Which resource it is: what is wrong with it each proxy says in its own words. */
function reasonOf(error: string): string {
  return /^Error adding\/updating \w+\(s\) \S+:/.exec(error)?.[0] ?? '(a reason)';
}
