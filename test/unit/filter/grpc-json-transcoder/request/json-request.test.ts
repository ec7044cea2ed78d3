import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { JsonRequest } from '../../../../../src/filter/grpc-json-transcoder/request/json-request.ts';
import { MessageWriter } from '../../../../../src/filter/grpc-json-transcoder/request/message-writer.ts';
import { Weave } from '../../../../../src/filter/grpc-json-transcoder/request/weave.ts';
import { resolveFieldPath } from '../../../../../src/filter/grpc-json-transcoder/schema/field-path.ts';
import { every, schema } from '../library.ts';

const options = { ignoresEnumCase: false, rejectsCollisions: false };
const writer = new MessageWriter(schema, every, options);

function translate(body: string, weave: Weave | null = null, of = writer): string {
  const request = new JsonRequest(of, [], weave, false);
  request.push(Buffer.from(body));
  request.finish();
  return request.error === '' ? Buffer.concat(request.take()).toString('hex') : `400 ${request.error}`;
}

type Row = readonly [body: string, outcome: string];
const rows = JSON.parse(readFileSync(new URL('../observed-requests.json', import.meta.url), 'utf8')) as Row[];

test.each(rows)('as observed on Envoy 1.39.3: %s', (body, outcome) => {
  expect(translate(body)).toBe(outcome);
});

describe('otherwise than Envoy', () => {
  test('an object for a scalar in a map is refused, where Envoy sends half a field', () => {
    expect(translate('{"labels":{"a":{}}}')).toBe(
      '400 labels[0]: invalid value Starting an object on a scalar field for type value',
    );
  });

  test('a number is a message too where it ends the body; Envoy loses it', () => {
    const wrapper = new MessageWriter(schema, schema.message('google.protobuf.Int64Value')!, options);
    expect(translate('5', null, wrapper)).toBe('00000000020805');
  });

  test('what is shown around a mistake is counted in characters', () => {
    expect(translate(`{"text": "${'é'.repeat(30)}" x}`)).toBe(
      `400 Expected , or } after key:value pair.\n${'é'.repeat(18)}" x}\n${' '.repeat(20)}^`,
    );
  });

  test('what follows a message is looked at, whichever chunk it comes in', () => {
    const request = new JsonRequest(writer, [], null, false);
    request.push(Buffer.from('{"text":"a"}'));
    request.push(Buffer.from(' {}'));
    expect(request.error).toBe('Parsing terminated before end of input.\n {}\n ^');
  });
});

describe('depth', () => {
  const nested = (count: number): string => `{"value":${'['.repeat(count)}${']'.repeat(count)}}`;

  test('of a hundred is as far as it goes', () => {
    expect(translate(nested(99))).not.toContain('400 ');
    expect(translate(nested(100))).toBe('400 Message too deep. Max recursion depth reached in array');
    expect(translate('{"author":{"mentor":'.repeat(60))).toBe(
      "400 Message too deep. Max recursion depth reached for key 'mentor'",
    );
  });
});

describe('collisions of the path or query with the body', () => {
  const bound = (name: string, text: string): Weave => {
    const weave = new Weave();
    const path = resolveFieldPath(every, name.split('.'));
    if (typeof path === 'string') throw new Error(path);
    weave.bind(path, text);
    return weave;
  };
  const strict = new MessageWriter(schema, every, { ...options, rejectsCollisions: true });

  test.each([
    ['i64', '9007199254740993', '{"i64":9007199254740993}'],
    ['real', '1.5', '{"real":1.5000001}'],
  ])('equal values are none: %s', (name, text, body) => {
    expect(translate(body, bound(name, text), strict)).not.toContain('400 ');
  });

  test.each([
    ['i64', '1', '{"i64":-1}', 'The binding value "1" of the field i64 is conflicting with the value -1 in the body.'],
    ['i64', 'x', '{"i64":-1}', 'Failed to convert binding value i64:"x" to int64'],
    ['real', 'x', '{"real":1.5}', 'Failed to convert binding value real:"x" to double'],
    ['flag', 'x', '{"flag":true}', 'Failed to convert binding value flag:"x" to bool'],
  ])('others are: %s=%s %s', (name, text, body, error) => {
    expect(translate(body, bound(name, text), strict)).toBe(`400 ${error}`);
  });

  test('the query writes into a map that the body has', () => {
    const [body, both] = ['b201060a0161120162', 'b201080a036b6579120178'];
    expect(translate('{"labels":{"a":"b"}}', bound('labels.key', 'x'))).toBe(`0000000014${body}${both}`);
  });
});
