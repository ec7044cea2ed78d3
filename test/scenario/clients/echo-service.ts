/** `scenario.Echo`, served by connect-node in all three protocols (Connect, gRPC, gRPC-Web) over HTTP/1.1 and HTTP/2. */
import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf';
import {
  FileDescriptorSetSchema,
  file_google_protobuf_wrappers,
  StringValueSchema,
  type StringValue,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { onTestFinished } from 'vitest';
import type { AtEnd } from '../scope.ts';
import { listenForBoth } from './both-versions.ts';

/** The service as programs of other languages read it. On the wire a Word is a google.protobuf.StringValue. */
export const echoProto = `syntax = "proto3";
package scenario;
message Word { string value = 1; }
service Echo {
  rpc Say(Word) returns (Word);
  rpc Spell(Word) returns (stream Word);
  rpc Gather(stream Word) returns (Word);
  rpc Talk(stream Word) returns (stream Word);
}
`;

export const method = (name: string): string => `/scenario.Echo/${name}`;

const text = '.google.protobuf.StringValue';

const described = create(FileDescriptorSetSchema, {
  file: [
    file_google_protobuf_wrappers.proto,
    {
      name: 'echo.proto',
      package: 'scenario',
      syntax: 'proto3',
      dependency: ['google/protobuf/wrappers.proto'],
      service: [
        {
          name: 'Echo',
          method: [
            { name: 'Say', inputType: text, outputType: text },
            { name: 'Spell', inputType: text, outputType: text, serverStreaming: true },
            { name: 'Gather', inputType: text, outputType: text, clientStreaming: true },
            { name: 'Talk', inputType: text, outputType: text, clientStreaming: true, serverStreaming: true },
          ],
        },
      ],
    },
  ],
});

/** For clients of connect's. */
export const Echo: DescService = createFileRegistry(described).getService('scenario.Echo')!;

/** The words that make `say` fail. */
export const refused = 'refuse';

const message = (value: string): StringValue => create(StringValueSchema, { value });

const handlers = {
  say(request: StringValue, context: HandlerContext): StringValue {
    if (request.value === refused) {
      const metadata = { 'x-why': 'asked for' };
      throw new ConnectError('as you wish – ü', Code.FailedPrecondition, metadata, [
        { desc: StringValueSchema, value: message('a detail') },
      ]);
    }
    context.responseHeader.set('x-heard', context.requestHeader.get('x-said') ?? '');
    context.responseHeader.set('x-protocol', context.protocolName);
    context.responseTrailer.set('x-last', 'yes');
    return message(request.value);
  },

  async *spell(request: StringValue): AsyncGenerator<StringValue> {
    for (const letter of request.value) yield message(letter);
  },

  async gather(requests: AsyncIterable<StringValue>): Promise<StringValue> {
    let whole = '';
    for await (const { value } of requests) whole += value;
    return message(whole);
  },

  async *talk(requests: AsyncIterable<StringValue>): AsyncGenerator<StringValue> {
    for await (const { value } of requests) yield message(value.toUpperCase());
  },
};

/** @returns its port; it speaks HTTP/1.1 or, with prior knowledge, HTTP/2, and ends with the test */
export async function startEcho(): Promise<number> {
  const handler = connectNodeAdapter({ routes: (router) => void router.service(Echo, handlers as never) });
  return listenForBoth(createHttp(handler), createHttp2(handler), onTestFinished as AtEnd);
}
