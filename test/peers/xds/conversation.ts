import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../scenario/wait.ts';
import { freePorts, giveBack } from '../ports.ts';
import { Proxy, type ProxyKind } from '../proxy.ts';
import { GoControlPlane, type XdsEvent } from './control-plane.ts';
import { bootstrap, type Protocol } from './resources.ts';

/** One proxy that is configured by go-control-plane, and what it has asked for. */
export class Conversation {
  readonly plane: GoControlPlane;
  readonly proxy: Proxy;
  /** Nobody listens there before a listener comes. */
  readonly port: number;
  private readonly ports: readonly number[];
  private readonly directory: string;

  private constructor(plane: GoControlPlane, proxy: Proxy, ports: readonly number[], directory: string) {
    this.plane = plane;
    this.proxy = proxy;
    this.ports = ports;
    this.port = ports[0];
    this.directory = directory;
  }

  /** `prepare`: what the control plane has before the proxy starts. */
  static async start(
    kind: ProxyKind,
    protocol: Protocol,
    prepare: (plane: GoControlPlane, port: number) => Promise<void>,
  ): Promise<Conversation> {
    const plane = await GoControlPlane.start();
    const ports = await freePorts(2);
    await prepare(plane, ports[0]);
    const directory = mkdtempSync(join(tmpdir(), `sekisho-xds-${kind.name}-`));
    const file = join(directory, 'bootstrap.json');
    writeFileSync(file, JSON.stringify(bootstrap(protocol, plane.port, ports[1])));
    const proxy = await Proxy.start(kind, file, ports[1], []);
    return new Conversation(plane, proxy, ports, directory);
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
   * What was said of each type, a line for a request; those that only repeat the one before are left out, and which
   * nonce they name: the control plane asks again at once whatever was refused.
   */
  get said(): Readonly<Record<string, readonly string[]>> {
    const said: Record<string, string[]> = {};
    for (const { stream, event } of this.requests()) {
      const lines = (said[shortName(event.type!)] ??= []);
      const line = lineOf(stream, event);
      if (lines.at(-1) !== line) lines.push(line);
    }
    return said;
  }

  /** Types in the order in which each stream has asked for them first. */
  get order(): readonly string[] {
    const order = this.requests().map(({ stream, event }) => `#${stream} ${shortName(event.type!)}`);
    return [...new Set(order)];
  }

  /** With the number of the stream that each came on: the control plane's own begin anew with its server. */
  private requests(): readonly { readonly stream: number; readonly event: XdsEvent }[] {
    let stream = 0;
    return this.plane.events.flatMap((event) => {
      if (event.kind === 'open') stream++;
      return event.kind === 'request' ? [{ stream, event }] : [];
    });
  }

  private isAnswered(version: string, type: string): boolean {
    const { events } = this.plane;
    const at = events.findLastIndex((event) => event.kind === 'response' && shortName(event.type!) === type);
    if (at < 0 || events[at].version !== version) return false;
    return events.slice(at).some((event) => isAnswer(event, events[at]));
  }
}

function isAnswer(event: XdsEvent, { stream, type, nonce }: XdsEvent): boolean {
  return event.kind === 'request' && event.stream === stream && event.type === type && event.nonce === nonce;
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
