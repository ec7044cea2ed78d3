/** HTTP/2 by hand, for an upstream that does exactly what a test says (RFC 9113 section 4.1 and 6). */
export const Frame = {
  Data: 0,
  Headers: 1,
  ResetStream: 3,
  Settings: 4,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
} as const;

export const endStream = 1;
const endHeaders = 4;
const ack = 1;

export const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export function frame(type: number, flags: number, stream: number, payload = ''): string {
  const bytes = Buffer.alloc(9);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  return bytes.toString('latin1') + payload;
}

function uint32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('latin1');
}

export const settings = (id: number, value: number): string =>
  frame(Frame.Settings, 0, 0, `\0${String.fromCharCode(id)}${uint32(value)}`);

export const maxConcurrentStreams = (value: number): string => settings(3, value);

/** Status 200: entry 8 of the static table. */
export const ok = (stream: number, end = true): string =>
  frame(Frame.Headers, endHeaders | (end ? endStream : 0), stream, '\x88');

export const data = (stream: number, text: string, end = true): string =>
  frame(Frame.Data, end ? endStream : 0, stream, text);

export const resetStream = (stream: number, code: number): string => frame(Frame.ResetStream, 0, stream, uint32(code));

export const goAway = (lastStream: number, code = 0): string =>
  frame(Frame.GoAway, 0, 0, uint32(lastStream) + uint32(code));

export const pingAck = (content: string): string => frame(Frame.Ping, ack, 0, content);

/** Frames of what was written, as `HEADERS 1`, `RST_STREAM 3 2` …; settings and the preface are left out. */
export function framesIn(written: string): string[] {
  const frames: string[] = [];
  let text = written.startsWith(preface) ? written.slice(preface.length) : written;
  while (text !== '') {
    const bytes = Buffer.from(text, 'latin1');
    const size = bytes.readUIntBE(0, 3);
    const [type, stream] = [bytes[3], bytes.readUInt32BE(5)];
    const payload = text.slice(9, 9 + size);
    text = text.slice(9 + size);
    if (type === Frame.Headers) frames.push(`HEADERS ${stream}`);
    else if (type === Frame.Data) frames.push(`DATA ${stream} ${payload}`);
    else if (type === Frame.ResetStream) frames.push(`RST_STREAM ${stream} ${bytes.readUInt32BE(9)}`);
    else if (type === Frame.Ping) frames.push(`PING ${bytes[4] === ack ? 'ACK' : payload}`);
    else if (type === Frame.GoAway) frames.push(`GOAWAY ${bytes.readUInt32BE(13)}`);
  }
  return frames;
}
