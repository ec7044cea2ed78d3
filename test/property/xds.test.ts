import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packedKinds } from '../../src/control/packed-kinds.ts';
import type { ConversationOptions, RequestStream } from '../../src/control/xds/protocol/conversation.ts';
import { Delta } from '../../src/control/xds/protocol/delta.ts';
import { packedName } from '../../src/control/xds/protocol/packed-name.ts';
import { Sotw } from '../../src/control/xds/protocol/sotw.ts';
import { Watch } from '../../src/control/xds/protocol/watch.ts';
import { clusterKind } from '../../src/control/xds/resource-kinds.ts';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { NodeSchema } from '../../src/proto/envoy/config/core/v3/base_pb.js';
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
  type DiscoveryRequest,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyPack, create, fromBinary, toBinary } from '../../src/proto/protobuf.js';
import * as fc from './chance.ts';
import { XdsWorld } from '../unit/control/xds/xds-world.ts';

const fixtures = join(import.meta.dirname, '../fixtures/istiod-1.29.6/waypoint-empty');
const recordedSotw = gunzipSync(readFileSync(join(fixtures, 'sotw/Cluster.pb.gz')));
const recordedDelta = gunzipSync(readFileSync(join(fixtures, 'delta/Cluster.pb.gz')));

/** A recorded response with some bytes others, cut off or put in. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(bytes.length - 1),
    byte: fc.nat(255),
    how: fc.constantFrom('set', 'cut', 'put'),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let now = Buffer.from(bytes);
    for (const { at, byte, how } of changes) {
      const i = Math.min(at, now.length);
      if (how === 'set') now[Math.max(0, i - 1)] = byte;
      else if (how === 'cut') now = now.subarray(0, i);
      else now = Buffer.concat([now.subarray(0, i), Buffer.from([byte]), now.subarray(i)]);
    }
    return now;
  });
}

/** Where requests go: there is room now and then. */
class Requests<Request> implements RequestStream<Request> {
  isOpen = false;
  room = Infinity;
  readonly sent: Request[] = [];

  mayAsk(): boolean {
    return this.room-- > 0;
  }

  send(request: Request): void {
    this.sent.push(request);
  }
}

/** What a conversation needs, and what it has put off. */
function surroundings(): { options: ConversationOptions; turn: () => void } {
  const { clock, timers, log } = new XdsWorld();
  const deferred: (() => void)[] = [];
  const stats = {
    pendingRequests: { set: () => {} },
    identified: () => {},
  } as unknown as ConversationOptions['stats'];
  const node = create(NodeSchema, { id: 'me' });
  const options = { node, nodeOnFirstMessageOnly: true, stats, log, clock, timers, held: new Map<string, number>() };
  return {
    options: { ...options, defer: (act) => void deferred.push(act) },
    turn: () => {
      for (const act of deferred.splice(0)) act();
    },
  };
}

const taker = { onResources: () => '', onDelta: () => '', onRefused: () => {}, onStreamFailed: () => {} };

test('whatever the bytes: a name, or an error; and message names', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        expect(typeof packedName(bytes)).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
      expect(packedKinds(bytes).size).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('the name of a packed resource is the one that protobuf reads', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string(), (name, altStatName) => {
      fc.pre(name.isWellFormed() && altStatName.isWellFormed());
      expect(packedName(toBinary(ClusterSchema, create(ClusterSchema, { name, altStatName })))).toBe(name);
    }),
  );
});

test.each([
  ['state of the world', recordedSotw],
  ['delta', recordedDelta],
])('%s: a damaged response that can be read at all is answered once', (protocol, recorded) => {
  fc.assert(
    fc.property(damaged(recorded), fc.boolean(), (bytes, wantsAll) => {
      const { options } = surroundings();
      const watch = new Watch(clusterKind, wantsAll ? [] : ['a'], taker);
      const isDelta = protocol === 'delta';
      const requests = new Requests<DiscoveryRequest | DeltaDiscoveryRequest>();
      const conversation = isDelta ? new Delta(options, requests) : new Sotw(options, requests);
      conversation.watch(watch);
      requests.isOpen = true;
      conversation.onOpened();
      let response;
      try {
        response = isDelta
          ? fromBinary(DeltaDiscoveryResponseSchema, bytes)
          : fromBinary(DiscoveryResponseSchema, bytes);
      } catch {
        // The call ends then, and another begins.
        return;
      }
      conversation.onResponse(response as never);
      const answers = requests.sent.slice(1);
      expect(answers.map(({ responseNonce }) => responseNonce)).toEqual(
        response.typeUrl === clusterKind.typeUrl ? [response.nonce] : [],
      );
    }),
  );
});

type Step =
  | { readonly what: 'watch' | 'rename'; readonly who: number; readonly names: readonly string[] }
  | { readonly what: 'leave'; readonly who: number }
  | { readonly what: 'respond'; readonly names: readonly string[] }
  | { readonly what: 'turn' | 'break' }
  | { readonly what: 'room'; readonly room: number };

const someNames = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', '*'), { maxLength: 3 });
const who = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ what: fc.constantFrom('watch' as const, 'rename' as const), who, names: someNames }),
  fc.record({ what: fc.constant('leave' as const), who }),
  fc.record({ what: fc.constant('respond' as const), names: someNames }),
  fc.record({ what: fc.constantFrom('turn' as const, 'break' as const) }),
  fc.record({ what: fc.constant('room' as const), room: fc.nat(2) }),
);

/** Takes the steps; in the end there is room, and everything that is to be said is. */
function play<Request>(
  steps: readonly Step[],
  conversation: Sotw | Delta,
  requests: Requests<Request>,
  turn: () => void,
  respond: (names: readonly string[]) => void,
): readonly Watch[] {
  const watches = new Map<number, Watch>();
  requests.isOpen = true;
  conversation.onOpened();
  for (const one of steps) {
    if (one.what === 'watch' && !watches.has(one.who)) {
      const watch = new Watch(clusterKind, one.names, taker);
      watches.set(one.who, watch);
      conversation.watch(watch);
    } else if (one.what === 'rename' && watches.has(one.who)) conversation.rename(watches.get(one.who)!, one.names);
    else if (one.what === 'leave' && watches.has(one.who)) {
      conversation.unwatch(watches.get(one.who)!);
      watches.delete(one.who);
    } else if (one.what === 'respond') respond(one.names);
    else if (one.what === 'turn') turn();
    else if (one.what === 'room') {
      requests.room = one.room;
      conversation.onRoom();
    } else if (one.what === 'break') {
      requests.isOpen = false;
      conversation.onFailed();
      requests.isOpen = true;
      requests.sent.length = 0;
      conversation.onOpened();
    }
  }
  turn();
  requests.room = Infinity;
  conversation.onRoom();
  return [...watches.values()];
}

test('delta: whatever is asked for and left, the control plane knows what is wanted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { options, turn } = surroundings();
      const requests = new Requests<DeltaDiscoveryRequest>();
      const conversation = new Delta(options, requests);
      let nonce = 0;
      const watches = play(steps, conversation, requests, turn, (list) => {
        const resource = anyPack(ClusterSchema, create(ClusterSchema));
        const resources = list.filter((name) => name !== '*').map((name) => ({ name, version: '1', resource }));
        const fields = { typeUrl: clusterKind.typeUrl, nonce: String(++nonce), resources };
        conversation.onResponse(create(DeltaDiscoveryResponseSchema, fields));
      });
      // As servers understand it.
      const known = new Set<string>();
      for (const [i, request] of requests.sent.entries()) {
        if (i === 0 && request.resourceNamesSubscribe.length === 0) known.add('*');
        for (const name of request.resourceNamesSubscribe) known.add(name);
        for (const name of request.resourceNamesUnsubscribe) known.delete(name);
      }
      const wanted = new Set(watches.flatMap((watch) => watch.asked));
      expect([...known].toSorted()).toEqual([...wanted].toSorted());
    }),
  );
});

test('state of the world: the last request names what is wanted, and the newest response', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { options, turn } = surroundings();
      const requests = new Requests<DiscoveryRequest>();
      const conversation = new Sotw(options, requests);
      let nonce = 0;
      let newest = '';
      const watches = play(steps, conversation, requests, turn, () => {
        newest = String(++nonce);
        const fields = { typeUrl: clusterKind.typeUrl, nonce: newest, versionInfo: newest };
        conversation.onResponse(create(DiscoveryResponseSchema, fields));
      });
      const names = new Set(watches.flatMap((watch) => watch.asked));
      const isAll = names.size === 1 && names.has('*') && watches.every((watch) => watch.names.size === 0);
      const last = requests.sent.at(-1);
      if (last === undefined) return;
      if (watches.length > 0) expect(last.resourceNames.toSorted()).toEqual(isAll ? [] : [...names].toSorted());
      expect(Number(last.responseNonce)).toBeLessThanOrEqual(Number(newest));
    }),
  );
});
