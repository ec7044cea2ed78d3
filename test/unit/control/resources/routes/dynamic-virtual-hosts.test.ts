import { expect, test } from 'vitest';
import {
  absentHostsMax,
  DynamicVirtualHosts,
} from '../../../../../src/control/resources/routes/dynamic-virtual-hosts.ts';
import type { OpenedResource } from '../../../../../src/control/xds/resource-kind.ts';
import type { VirtualHostData } from '../../../../../src/route/route-data.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';

/** A virtual host for the domain of its name; `packed` empty: there is none of that name. */
function resource(host: string, packed = host, aliases: readonly string[] = []): OpenedResource {
  return { name: `r/${host}`, packed: Buffer.from(packed), version: '1', aliases };
}

function world() {
  const stats = new RecordingStats();
  let served: readonly string[] = [];
  const answers: string[] = [];
  const asked: (readonly string[])[] = [];
  const hosts = new DynamicVirtualHosts('r', stats.scope('vhds'), {
    decode: (packed) => (String(packed) === 'broken' ? 'no' : ({ name: String(packed) } as VirtualHostData)),
    onChanged: (list) => {
      served = list.map(({ name }) => name);
      return '';
    },
    serves: (host) => served.includes(host),
    answer: (host, isThere, worker) => answers.push(`${worker}: ${host} ${isThere}`),
    onReady: () => {},
  });
  hosts.subscription = { start: () => {}, stop: () => {}, setNames: (names) => asked.push(names) };
  return { hosts, asked, told: () => answers.splice(0), read: () => stats.read('vhds.') };
}

test('one is asked for once, and whoever waits is told when it has come', () => {
  const { hosts, asked, told } = world();
  hosts.want('a', 0);
  hosts.want('a', 1);
  hosts.want('b', 0);
  expect(asked).toEqual([['r/a'], ['r/a', 'r/b']]);
  expect(told()).toEqual([]);
  hosts.onDelta([resource('a')], []);
  expect(told()).toEqual(['0: a true', '1: a true']);
  hosts.want('a', 2);
  expect(told()).toEqual(['2: a true']);
  expect(asked).toHaveLength(2);
});

test('one that there is none of is told of as soon as the control plane says so, and asked for anew', () => {
  const { hosts, asked, told, read } = world();
  for (const host of ['a', 'b', 'c']) hosts.want(host, 0);
  hosts.onDelta([resource('a', '')], ['r/b']);
  expect(told()).toEqual(['0: a false', '0: b false']);
  hosts.onDelta([resource('x', 'c', ['r/c', 'other'])], []);
  expect(told()).toEqual(['0: c true']);
  asked.splice(0);
  hosts.want('b', 1);
  expect(asked).toEqual([
    ['r/c', 'r/a'],
    ['r/c', 'r/a', 'r/b'],
  ]);
  expect(read()).toEqual({ config_reload: 2 });
});

test('one that is taken away is asked for when it is needed again', () => {
  const { hosts, asked, told } = world();
  hosts.want('a', 0);
  hosts.onDelta([resource('a')], []);
  hosts.onDelta([], ['r/a']);
  told();
  asked.splice(0);
  hosts.want('a', 0);
  expect(asked).toEqual([[], ['r/a']]);
  expect(told()).toEqual([]);
});

test('what is refused leaves whoever waits waiting', () => {
  const { hosts, told } = world();
  hosts.want('a', 0);
  expect(hosts.onDelta([resource('a', 'broken')], [])).toBe('r/a: no');
  expect(told()).toEqual([]);
  hosts.onDelta([resource('a')], []);
  expect(told()).toEqual(['0: a true']);
});

test('nobody waits for what is stopped, or for what was forgotten for want of room', () => {
  const { hosts, told } = world();
  for (let i = 0; i <= absentHostsMax; i++) hosts.want(`h${i}`, 0);
  expect(told()).toEqual(['0: h0 false']);
  hosts.stop();
  expect(told()).toHaveLength(absentHostsMax);
});
