import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { EchoSchema } from '../../../../src/proto/envoy/extensions/filters/network/echo/v3/echo_pb.js';
import { ConfigSchema } from '../../../../src/proto/envoy/extensions/filters/network/direct_response/v3/config_pb.js';
import { directResponseKind, echoKind } from '../../../../src/proxy/network/answering-data.ts';
import { echoDecoder, networkDirectResponseDecoder } from '../../../../src/proxy/network/answering-decode.ts';
import { AnsweringHandler } from '../../../../src/proxy/network/answering-handler.ts';
import { MemoryConnection } from '../../cluster/memory-network.ts';

const client = () => new MemoryConnection(1, { kind: 'ip', host: '127.0.0.1', port: 9 });
const nothing = { open: () => null };

test('an echo waits for a client that does not read', () => {
  const handler = new AnsweringHandler(null);
  const connection = client();
  handler.handle(connection);
  connection.receive('one');
  connection.accepts = false;
  connection.receive('two');
  connection.receive('three');
  expect([connection.written, connection.pauses]).toEqual(['onetwothree', 1]);
  connection.drained();
  expect(connection.pauses).toBe(0);
});

test('the configured answer is sent once to everybody', () => {
  const message = create(ConfigSchema, { response: { specifier: { case: 'inlineString', value: 'hé' } } });
  const data = networkDirectResponseDecoder.decode(toBinary(ConfigSchema, message), new Reasons(), nothing);
  expect(data).toEqual({ response: new Uint8Array([104, 0xc3, 0xa9]) });
  const handler = new AnsweringHandler(new Uint8Array([104]));
  const connections = [client(), client()];
  for (const connection of connections) handler.handle(connection);
  expect(connections.map(({ written }) => written)).toEqual(['h', 'h']);
});

test('the names are those of the messages', () => {
  expect([echoDecoder.kind, networkDirectResponseDecoder.kind]).toEqual([echoKind, directResponseKind]);
  expect(echoDecoder.decode(toBinary(EchoSchema, create(EchoSchema)), new Reasons(), nothing)).toBeNull();
});
