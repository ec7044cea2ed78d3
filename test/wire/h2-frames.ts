/** Frames as lines of text and back, for transcripts and tests. Shares no code with the codec. */
import { Buffer } from 'node:buffer';
import { unescapeText } from './transcript.ts';
import { visible } from './recorder.ts';

export const typeNames = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
];
const settingNames = ['', 'table', 'push', 'streams', 'window', 'frame', 'list', '', 'connect'];
export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** A header block of literals that stay out of the table, without Huffman. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.of(0), text(name), text(value)])));
}

function text(value: string): Buffer {
  const size: number[] = [];
  if (value.length < 127) size.push(value.length);
  else {
    size.push(127);
    let rest = value.length - 127;
    for (; rest >= 128; rest >>= 7) size.push((rest & 127) | 128);
    size.push(rest);
  }
  return Buffer.concat([Buffer.from(size), Buffer.from(value, 'latin1')]);
}

/** The bytes of one line: `HEADERS 1 end :method=GET`, see README.md. */
export function bytesOfLine(line: string): Buffer {
  const [name = '', ...words] = line.split(' ');
  if (name === 'PREFACE') return Buffer.from(preface);
  if (name === 'RAW') return Buffer.from(words.join(''), 'hex');
  if (name === 'FRAME')
    return frame(Number(words[0]), Number(words[1]), Number(words[2]), Buffer.from(words.slice(3).join(''), 'hex'));
  const type = typeNames.indexOf(name);
  if (type < 0) throw new Error(`what is "${line}"?`);
  if (name === 'SETTINGS') return settings(words);
  if (name === 'PING')
    return frame(6, words[0] === 'ack' ? 1 : 0, 0, Buffer.from(words.at(-1)!.padEnd(8).slice(0, 8), 'latin1'));
  if (name === 'GOAWAY')
    return frame(7, 0, 0, Buffer.concat([uint32(Number(words[0])), uint32(Number(words[1] ?? 0))]));
  const streamId = Number(words.shift());
  if (name === 'RST_STREAM' || name === 'WINDOW_UPDATE') return frame(type, 0, streamId, uint32(Number(words[0])));
  if (name === 'PRIORITY') return frame(type, 0, streamId, Buffer.concat([uint32(Number(words[0])), Buffer.of(16)]));
  return message(type, streamId, words);
}

function settings(words: readonly string[]): Buffer {
  if (words[0] === 'ack') return frame(4, 1, 0);
  const pairs = words.filter((word) => word !== '').map((word) => word.split('='));
  return frame(
    4,
    0,
    0,
    Buffer.concat(
      pairs.map(([name, value]) => {
        const setting = settingNames.indexOf(name);
        const id = Buffer.alloc(2);
        id.writeUInt16BE(setting < 0 ? Number(name) : setting);
        return Buffer.concat([id, uint32(Number(value))]);
      }),
    ),
  );
}

/** DATA, HEADERS, CONTINUATION: options first (`end`, `open`, `pad=3`, `dep=5`), then the content. */
function message(type: number, streamId: number, words: string[]): Buffer {
  let flags = type === 0 ? 0 : 4;
  let before = Buffer.alloc(0);
  let after = Buffer.alloc(0);
  for (; words.length > 0; words.shift()) {
    const word = words[0];
    if (word === 'end') flags |= 1;
    else if (word === 'open') flags &= ~4;
    else if (word.startsWith('pad=')) {
      flags |= 8;
      const size = Number(word.slice(4));
      before = Buffer.concat([Buffer.of(size), before]);
      after = Buffer.alloc(size);
    } else if (word.startsWith('dep=')) {
      flags |= 0x20;
      before = Buffer.concat([before, uint32(Number(word.slice(4))), Buffer.of(16)]);
    } else break;
  }
  const content = type === 0 ? Buffer.from(repeated(words.join(' ')), 'latin1') : block(words.map(fieldOf));
  return frame(type, flags, streamId, Buffer.concat([before, content, after]));
}

/** `x*100` is a hundred of them. */
function repeated(content: string): string {
  const match = /^(.*)\*(\d+)$/.exec(content);
  return match === null ? unescapeText(content) : match[1].repeat(Number(match[2]));
}

function fieldOf(word: string): [string, string] {
  const at = word.indexOf('=', 1);
  const value = word.slice(at + 1).replaceAll('_', ' ');
  return [unescapeText(word.slice(0, at)), repeated(value)];
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Every whole frame of what was written. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) throw new Error('half a frame');
    frames.push({
      type: bytes[at + 3],
      flags: bytes[at + 4],
      streamId: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** A frame as a line; `fields` reads a header block. */
export function lineOf({ type, flags, streamId, payload }: Frame, fields: (block: Buffer) => string): string {
  const name = typeNames[type] ?? `FRAME ${type}`;
  const end = (flags & 1) === 0 ? '' : ' end';
  switch (name) {
    case 'DATA':
      return `DATA ${streamId}${end} ${payload.length > 64 ? `(${payload.length} bytes)` : visible(payload.toString('latin1'))}`.trimEnd();
    case 'HEADERS':
      return `HEADERS ${streamId}${end} ${fields(payload)}`;
    case 'SETTINGS':
      return flags === 1 ? 'SETTINGS ack' : `SETTINGS ${settingsOf(payload)}`;
    case 'PING':
      return `PING${flags === 1 ? ' ack' : ''} ${visible(payload.toString('latin1'))}`;
    case 'GOAWAY':
      return `GOAWAY ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}${payload.length > 8 ? ` ${payload.toString('latin1', 8)}` : ''}`;
    case 'RST_STREAM':
    case 'WINDOW_UPDATE':
      return `${name} ${streamId} ${payload.readUInt32BE(0)}`;
    default:
      return `${name} ${streamId} ${payload.toString('hex')}`;
  }
}

function settingsOf(payload: Buffer): string {
  const words: string[] = [];
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    words.push(`${settingNames[id] || id}=${payload.readUInt32BE(at + 2)}`);
  }
  return words.join(' ');
}
