import { bytesOfLine, framesOf, lineOf, preface, typeNames, type Frame } from '../wire/h2-frames.ts';
import { codeName } from './h2-codes.ts';
import { Line } from './line.ts';
import type { Exchange } from './answer.ts';
import type { Ports, Row, Segment } from './row.ts';

const quietMs = 3000;
const frameHead = 9;
const dataType = 0;
const resetType = 3;
const settingsType = 4;

/** Sends a row's frames exactly as they are, and hears every frame that comes back. */
export async function performFrames(row: Row, ports: Ports): Promise<Exchange> {
  const line = await Line.open(ports, row.tls, ['h2']);
  const wait = row.waitMs ?? quietMs;
  await line.send([Buffer.from(preface, 'latin1'), bytesOfLine('SETTINGS')]);
  // Both proxies' settings, and their word that ours have come: then it is the row's turn.
  await line.until(() => line.end !== 'open' || framesOfType(line.received, settingsType) >= 2, wait);
  await line.send([bytesOfLine('SETTINGS ack'), ...(row.frames ?? []).map(bytesOf)]);
  const wanted = row.answers ?? 1;
  await line.until(() => line.end !== 'open' || ends(line.received) >= wanted, wait);
  if (row.until === 'closed') await line.until(() => line.end !== 'open', wait);
  const frames = joined(wholeFrames(line.received)).flatMap(shown);
  const exchange: Exchange = { answers: [], frames };
  if (row.until === 'closed') exchange.end = line.end;
  if (line.handshake !== null) exchange.tls = line.handshake;
  line.destroy();
  return exchange;
}

function bytesOf(segment: Segment): Segment | Buffer {
  if (typeof segment === 'number' || segment === 'end' || segment === 'reset') return segment;
  return bytesOfLine(segment);
}

/** Streams that the proxy has ended, by END_STREAM or RST_STREAM. */
function ends(received: Buffer): number {
  return wholeFrames(received).filter(({ type, flags }) => type === resetType || (type <= 1 && (flags & 1) === 1))
    .length;
}

function wholeFrames(received: Buffer): Frame[] {
  let at = 0;
  while (at + frameHead <= received.length) {
    const next = at + frameHead + received.readUIntBE(at, 3);
    if (next > received.length) break;
    at = next;
  }
  return framesOf(received.subarray(0, at));
}

function framesOfType(received: Buffer, wanted: number): number {
  return wholeFrames(received).filter(({ type }) => type === wanted).length;
}

/** How content is cut into DATA frames means nothing. */
function joined(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    if (frame.type === dataType && last?.type === dataType && last.streamId === frame.streamId) {
      const payload = Buffer.concat([last.payload, frame.payload]);
      result[result.length - 1] = { ...frame, payload };
    } else result.push(frame);
  }
  return result;
}

/** Codes by name; header blocks are not read, and windows are opened as each side likes. */
function shown(frame: Frame): string[] {
  const { type, streamId, payload } = frame;
  switch (typeNames[type]) {
    case 'WINDOW_UPDATE':
      return [];
    case 'RST_STREAM':
      return [`RST_STREAM ${streamId} ${codeName(payload.readUInt32BE(0))}`];
    case 'GOAWAY':
      return [`GOAWAY ${payload.readUInt32BE(0)} ${codeName(payload.readUInt32BE(4))}`];
    case 'SETTINGS':
      return frame.flags === 1 ? ['SETTINGS ack'] : [settings(frame)];
    default:
      return [lineOf(frame, () => '').trimEnd()];
  }
}

/** In the order of their numbers, which means nothing. */
function settings(frame: Frame): string {
  const [name, ...pairs] = lineOf(frame, () => '').split(' ');
  return [name, ...pairs.toSorted()].join(' ');
}
