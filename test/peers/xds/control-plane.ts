import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findProgram, missing } from '../binaries.ts';

/** What happened at the control plane: `test/peers/xds/control-plane/main.go`. */
export interface XdsEvent {
  readonly kind: 'ready' | 'open' | 'close' | 'request' | 'response' | 'set' | 'disconnected' | 'away';
  readonly stream: number;
  readonly method?: string;
  readonly type?: string;
  readonly version?: string;
  readonly nonce?: string;
  readonly names?: readonly string[];
  readonly unsubscribe?: readonly string[];
  readonly initial?: Readonly<Record<string, string>>;
  readonly code?: number;
  readonly error?: string;
  readonly port?: number;
}

/** By the last part of their type. */
export type Resources = Readonly<Record<string, readonly object[]>>;

/** Why it cannot run here; null: it can. */
export function controlPlaneUnavailable(): string | null {
  return findProgram('xds-control-plane') === null ? missing('xds-control-plane') : null;
}

/** go-control-plane, of which a test says what it has. */
export class GoControlPlane {
  readonly events: XdsEvent[];
  port: number;
  private readonly child: ChildProcess;
  private waiting: { readonly isMet: () => boolean; readonly resolve: () => void }[];

  private constructor(child: ChildProcess) {
    this.events = [];
    this.port = 0;
    this.child = child;
    this.waiting = [];
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as XdsEvent);
      this.look();
    });
  }

  /** `own`: each type comes over streams of its own. */
  static async start(sharing: 'ads' | 'own'): Promise<GoControlPlane> {
    const child = spawn(findProgram('xds-control-plane')!, [sharing], { stdio: ['pipe', 'pipe', 'inherit'] });
    const own = new GoControlPlane(child);
    const ready = await own.event(({ kind }) => kind === 'ready');
    own.port = ready.port!;
    return own;
  }

  /**
   * A whole snapshot; resolves when those who wait for it are being told.
   * @param ttls milliseconds that resources live, by the last part of their type
   */
  async set(version: string, resources: Resources, ttls: Readonly<Record<string, number>> = {}): Promise<void> {
    this.tell({ version, resources, ttls });
    await this.event((one) => one.kind === 'set' && one.version === version);
  }

  /** Every connection is closed; whoever comes again is served. */
  disconnect(): void {
    this.tell({ disconnect: true });
  }

  /** Every connection is closed, and nobody is served until `disconnect`. */
  away(): void {
    this.tell({ away: true });
  }

  /** The first that is so, from the `from`th on. */
  async event(isIt: (event: XdsEvent) => boolean, from = 0): Promise<XdsEvent> {
    const find = (): XdsEvent | undefined => this.events.find((event, i) => i >= from && isIt(event));
    await this.until(() => find() !== undefined);
    return find()!;
  }

  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    await new Promise<void>((resolve) => this.waiting.push({ isMet, resolve }));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.child.once('exit', () => resolve());
    this.child.kill('SIGKILL');
    await promise;
  }

  private tell(command: object): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  private look(): void {
    const met = this.waiting.filter(({ isMet }) => isMet());
    this.waiting = this.waiting.filter((one) => !met.includes(one));
    for (const { resolve } of met) resolve();
  }
}
