import { expect, test } from 'vitest';
import { Clock } from '../../../src/core/clock.ts';
import { HttpVersion, RequestHead } from '../../../src/core/head.ts';
import { Headers } from '../../../src/core/headers.ts';
import { ClusterCallOuts } from '../../../src/proxy/call-outs.ts';

test('a cluster that is not there is a failure, at once', () => {
  const calls = new ClusterCallOuts({
    clusters: { get: () => undefined },
    clock: new Clock(),
    timers: { schedule: () => {}, cancel: () => {} },
    random: () => 0,
    localAddress: '10.0.0.1',
  });
  const heard: string[] = [];
  const head = new RequestHead('GET', 'a', '/', HttpVersion.Http11, new Headers());
  const call = calls.http(
    'nowhere',
    head,
    null,
    { timeoutMs: 1, bodyBytesMax: 1, saysForWhom: true },
    {
      onAnswer: () => heard.push('answer'),
      onFailure: (reason) => heard.push(reason),
    },
  );
  call.cancel();
  expect(heard).toEqual(['there is no cluster nowhere']);
});
