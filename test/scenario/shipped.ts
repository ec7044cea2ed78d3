import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../peers/binaries.ts';
import { freePorts } from '../peers/ports.ts';
import { Proxy, type ProxyKind } from '../peers/proxy.ts';

/** A configuration from `config/`, running with its ports moved to free ones. */
export class Shipped {
  readonly proxy: Proxy;
  readonly directory: string;
  private readonly ports: ReadonlyMap<number, number>;

  private constructor(proxy: Proxy, directory: string, ports: ReadonlyMap<number, number>) {
    this.proxy = proxy;
    this.directory = directory;
    this.ports = ports;
  }

  static async start(kind: ProxyKind, name: string): Promise<Shipped> {
    const text = readFileSync(join(repository, 'config', name), 'utf8');
    const written = [...new Set([...text.matchAll(/port_value: (\d+)/g)].map((match) => Number(match[1])))];
    const free = await freePorts(written.length);
    const ports = new Map(written.map((port, index) => [port, free[index]]));
    const directory = mkdtempSync(join(tmpdir(), 'sekisho-scenario-'));
    const moved = text
      .replaceAll(/port_value: (\d+)/g, (_, port: string) => `port_value: ${ports.get(Number(port))}`)
      .replaceAll('/tmp/', `${directory}/`);
    const file = join(directory, name);
    writeFileSync(file, moved);
    return new Shipped(await Proxy.start(kind, file, ports.get(9901)!, []), directory, ports);
  }

  /** The URL of a listener by the port that the file gives it. */
  url(port: number, path = '/'): string {
    return `http://127.0.0.1:${this.port(port)}${path}`;
  }

  port(port: number): number {
    const moved = this.ports.get(port);
    if (moved === undefined) throw new Error(`the file has no port ${port}`);
    return moved;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
