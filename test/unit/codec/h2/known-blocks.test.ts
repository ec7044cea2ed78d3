import { describe, expect, test } from 'vitest';
import { HeaderBlocks } from '../../../../src/codec/h2/message/header-blocks.ts';
import { ResponseFields } from '../../../../src/codec/h2/message/response-fields.ts';
import { H2Counter, type H2Counters, noCounters } from '../../../../src/codec/h2/counters.ts';
import { defaultServerOptions, UnderscoreAction } from '../../../../src/codec/h2/options.ts';
import { HpackError } from '../../../../src/codec/hpack/decoder.ts';

/** So often that a block is remembered. */
const often = 60;

const ok = 0x88;
const newest = 0xbe;
const second = 0xbf;

/** A literal that goes into the table. */
function added(name: string, value: string): number[] {
  return [0x40, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)];
}

class Peer {
  readonly blocks = new HeaderBlocks(defaultServerOptions);
  readonly fields: ResponseFields;

  constructor(underscores: UnderscoreAction = UnderscoreAction.Allow, counters: H2Counters = noCounters) {
    this.fields = new ResponseFields(1 << 16, underscores, counters);
  }

  /** What a response says; null: it is no HPACK. */
  says(...bytes: number[]): string | null {
    this.fields.begin(false);
    const block = Uint8Array.from([ok, ...bytes]);
    if (this.blocks.read(this.fields, block, 0, block.length) === HpackError.Compression) return null;
    const head = this.fields.take();
    if (head === null) return 'refused';
    const { names, values, neverIndexed } = head.headers;
    return `${names.map((name, i) => `${name}=${values[i]}`).join(' ')}${neverIndexed === null ? '' : ' secret'}`;
  }

  repeats(...bytes: number[]): string | null {
    let said = this.says(...bytes);
    for (let i = 0; i < often; i++) said = this.says(...bytes);
    return said;
  }
}

describe('a header block that has come often', () => {
  test('says what the table says now', () => {
    const peer = new Peer();
    peer.says(...added('a', '1'));
    expect(peer.repeats(newest)).toBe('a=1');
    peer.says(...added('a', '2'));
    expect(peer.says(newest)).toBe('a=2');
    expect(peer.repeats(newest)).toBe('a=2');
  });

  test('adds to the table each time', () => {
    const peer = new Peer();
    expect(peer.repeats(...added('a', '1'))).toBe('a=1');
    peer.says(...added('b', '2'));
    expect(peer.says(...added('a', '1'))).toBe('a=1');
    expect(peer.says(newest, second)).toBe('a=1 b=2');
  });

  test('that adds and refers is read each time', () => {
    const peer = new Peer();
    peer.says(...added('b', '2'));
    expect(peer.says(...added('a', '1'), second)).toBe('a=1 b=2');
    expect(peer.repeats(...added('a', '1'), second)).toBe('a=1 a=1');
  });

  test('changes the size of the table each time', () => {
    const peer = new Peer();
    const empties = (): string | null => {
      peer.fields.begin(false);
      const block = Uint8Array.from([0x20, 0x3f, 0xe1, 0x1f, ok]);
      return peer.blocks.read(peer.fields, block, 0, block.length) === HpackError.None ? 'read' : null;
    };
    for (let i = 0; i < often; i++) expect(empties()).toBe('read');
    peer.says(...added('a', '1'));
    empties();
    expect(peer.says(newest)).toBeNull();
  });

  test('is no answer to settings that ask for a size update', () => {
    const peer = new Peer();
    peer.repeats(0x90);
    peer.blocks.setTableBytesMax(0);
    expect(peer.says(0x90)).toBeNull();
  });

  test('is not remembered where it has a secret', () => {
    const peer = new Peer();
    expect(peer.repeats(0x10, 1, 97, 1, 49)).toBe('a=1 secret');
  });

  test('is counted each time for what it was refused or cut for', () => {
    let dropped = 0;
    const counters = {
      ...noCounters,
      count: (counter: H2Counter) => {
        if (counter === H2Counter.DroppedHeadersWithUnderscores) dropped++;
      },
    };
    const peer = new Peer(UnderscoreAction.Drop, counters);
    expect(peer.repeats(0, 3, 97, 95, 98, 1, 49)).toBe('');
    expect(dropped).toBe(often + 1);
    expect(peer.repeats(0, 1, 65, 1, 49)).toBe('refused');
  });
});

test('what is made of a remembered block is nobody else’s', () => {
  const { blocks, fields } = new Peer();
  const block = Uint8Array.from([ok, 0, 1, 97, 1, 49]);
  for (let i = 0; i < often; i++) {
    fields.begin(false);
    blocks.read(fields, block, 0, block.length);
    const { headers } = fields.take()!;
    expect(headers.get('a')).toBe('1');
    expect(headers.length).toBe(1);
    headers.set('a', '2');
    headers.add('b', '3');
  }
});
