import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DnsServer } from '../unit/net/dns-server.ts';
import { App } from './app.ts';
import { bootstrap, httpListener } from './config.ts';
import { getText } from './http.ts';
import { Origin } from './origin.ts';
import { Traffic } from './traffic.ts';
import { until } from './wait.ts';

async function dnsServer(): Promise<DnsServer> {
  const server = await DnsServer.start();
  onTestFinished(() => server.stop());
  return server;
}

/** Two origins on one port of two addresses of this machine; each answers with its address. */
async function twins(): Promise<number> {
  const [one, two] = ['127.0.0.1', '127.0.0.2'].map(
    (host) => (port: number) =>
      Origin.start(
        (incoming, response) => {
          incoming.resume();
          response.end(host);
        },
        { host, port },
      ),
  );
  const { port } = await one(0);
  await two(port);
  return port;
}

function dnsCluster(kind: 'STRICT_DNS' | 'LOGICAL_DNS', resolver: string, port: number): Record<string, unknown> {
  const [host, resolverPort] = resolver.split(':');
  return {
    name: 'origin',
    type: kind,
    connect_timeout: '5s',
    dns_refresh_rate: '0.02s',
    dns_lookup_family: 'V4_ONLY',
    typed_dns_resolver_config: {
      name: 'envoy.network.dns_resolver.cares',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
        resolvers: [{ socket_address: { address: host, port_value: Number(resolverPort) } }],
        dns_resolver_options: { no_default_search_domain: true },
      },
    },
    load_assignment: {
      cluster_name: 'origin',
      endpoints: [
        {
          lb_endpoints: [
            { endpoint: { address: { socket_address: { address: 'origin.example', port_value: port } } } },
          ],
        },
      ],
    },
  };
}

describe.each(['STRICT_DNS', 'LOGICAL_DNS'] as const)('%s', (kind) => {
  test('hosts change under traffic, and no request fails', async () => {
    const dns = await dnsServer();
    const port = await twins();
    dns.zones.set('origin.example', { a: ['127.0.0.1'], ttl: 1 });
    const app = await App.start(bootstrap([httpListener()], [dnsCluster(kind, dns.address, port)]), { concurrency: 2 });
    const traffic = new Traffic(await app.url(), 16);
    await traffic.sees('127.0.0.1');
    for (const address of ['127.0.0.2', '127.0.0.1', '127.0.0.2']) {
      dns.zones.set('origin.example', { a: [address] });
      await traffic.sees(address, 100);
    }
    // The name breaks: who was known stays.
    dns.zones.set('origin.example', { rcode: 2 });
    await app.statIs('cluster.origin.update_failure', (count) => count > 0);
    await traffic.sees('127.0.0.2');
    expect(await traffic.stop()).toEqual([]);
    const { body } = await app.admin('/clusters');
    expect(body).toContain(`origin::127.0.0.2:${port}::`);
    expect(body).not.toContain(`origin::127.0.0.1:${port}::`);
  });
});

test('STRICT_DNS spreads over all addresses of a name', async () => {
  const dns = await dnsServer();
  const port = await twins();
  dns.zones.set('origin.example', { a: ['127.0.0.1', '127.0.0.2'] });
  const app = await App.start(bootstrap([httpListener()], [dnsCluster('STRICT_DNS', dns.address, port)]));
  const url = await app.url();
  const answers = [];
  for (let i = 0; i < 10; i++) answers.push(await getText(url));
  expect(answers.filter((text) => text === '127.0.0.1')).toHaveLength(5);
  expect(answers.filter((text) => text === '127.0.0.2')).toHaveLength(5);
});

test('a name without addresses is no host: 503', async () => {
  const dns = await dnsServer();
  const app = await App.start(bootstrap([httpListener()], [dnsCluster('STRICT_DNS', dns.address, 1)]));
  expect(await getText(await app.url())).toBe('no healthy upstream');
});

test('the first answer is waited for before anything listens', async () => {
  const dns = await dnsServer();
  const port = await twins();
  dns.zones.set('origin.example', { a: ['127.0.0.1'] });
  const gate = await Gate.open(dns.address);
  const config = bootstrap([httpListener()], [dnsCluster('STRICT_DNS', gate.address, port)]);
  const app = await App.start(config, { isExpectedToFail: true });
  await until('a question', () => gate.waiting > 0);
  expect(await app.admin('/ready')).toMatchObject({ status: 503, body: 'PRE_INITIALIZING\n' });
  expect((await app.admin('/listeners')).body).toBe('');
  gate.letThrough();
  await until('the process to be live', async () => (await app.admin('/ready')).status === 200);
  expect(await getText(await app.url())).toBe('127.0.0.1');
});

/** Stands in front of a DNS server and keeps the questions until it is opened. */
class Gate {
  readonly address: string;
  private readonly held: { query: Buffer; from: RemoteInfo }[] = [];
  private readonly front: Socket;
  private readonly server: string;
  private isOpen = false;

  private constructor(server: string, front: Socket) {
    this.server = server;
    this.front = front;
    this.address = `127.0.0.1:${front.address().port}`;
  }

  static async open(server: string): Promise<Gate> {
    const front = createSocket('udp4').bind(0, '127.0.0.1');
    await once(front, 'listening');
    const gate = new Gate(server, front);
    front.on('message', (query, from) => {
      if (gate.isOpen) gate.pass(query, from);
      else gate.held.push({ query, from });
    });
    onTestFinished(() => void front.close());
    return gate;
  }

  get waiting(): number {
    return this.held.length;
  }

  letThrough(): void {
    this.isOpen = true;
    for (const { query, from } of this.held.splice(0)) this.pass(query, from);
  }

  private pass(query: Buffer, from: RemoteInfo): void {
    const back = createSocket('udp4');
    back.once('message', (reply) => {
      this.front.send(reply, from.port, from.address);
      back.close();
    });
    const [host, port] = this.server.split(':');
    back.send(query, Number(port), host);
  }
}
