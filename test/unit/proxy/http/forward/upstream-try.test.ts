import { describe, expect, test } from 'vitest';
import { RemoteConnectionFailure } from '../../../../../src/core/failures.ts';
import { formatAddress } from '../../../../../src/core/peer.ts';
import { hostData } from '../../../cluster/cluster-fixture.ts';
import { HttpWorld, request, response } from '../world.ts';

describe('the log knows of an upstream connection', () => {
  const bytes = '%UPSTREAM_WIRE_BYTES_SENT% %UPSTREAM_WIRE_BYTES_RECEIVED%';

  test('the bytes of this request alone', () => {
    const world = new HttpWorld({ log: bytes });
    const client = world.connect();
    for (const body of ['', 'longer']) {
      client.receive(request('POST /', [], body));
      const sent = world.upstream.take();
      const answer = response(200, body);
      world.upstream.receive(answer);
      expect(world.logged.pop()).toBe(`${sent.length} ${answer.length}`);
    }
    expect(world.dials).toBe(1);
  });

  test('of all tries together', () => {
    const routes = '- { match: { prefix: / }, route: { cluster: c, retry_policy: { retry_on: 5xx } } }';
    const world = new HttpWorld({ log: bytes, routes });
    world.send(request());
    const first = response(503, 'first, and longer');
    world.accept().receive(first);
    world.advance(250);
    const answer = response(200);
    world.upstream.receive(answer);
    expect(world.logged[0].split(' ')[1]).toBe(String(first.length + answer.length));
  });

  test('when it began to be opened, also where it waited long for this request', () => {
    const world = new HttpWorld({ log: '%COMMON_DURATION(US_CX_BEG:US_CX_END:ms)%' });
    const client = world.send(request());
    world.advance(30);
    world.accept().receive(response());
    world.advance(1000);
    client.receive(request());
    world.upstream.receive(response());
    expect(world.logged).toEqual(['30', '30']);
  });

  test('the hosts that tries had connections to, each once and in order', () => {
    const hosts = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => hostData(host));
    const retry = 'retry_policy: { retry_on: 5xx, num_retries: 3 }';
    const world = new HttpWorld({
      log: '%UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_HOST%',
      routes: `- { match: { prefix: / }, route: { cluster: c, ${retry} } }`,
      clusters: { c: { hosts } },
    });
    const addressOf = (index: number): string => formatAddress(world.around.network.dials[index].address);
    world.send(request());
    world.accept().receive(response(503));
    world.advance(250);
    world.refuse(RemoteConnectionFailure);
    world.advance(250);
    world.accept().receive(response(200));
    expect(world.logged).toEqual([`${addressOf(0)},${addressOf(2)} ${addressOf(2)}`]);
  });
});
