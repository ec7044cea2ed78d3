import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { PacketSocket, type Packet } from '../../../src/net/packet-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'sekisho-packets-'));
const path = join(folder, 'socket');
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.log('skipped: the other end of a SEQPACKET socket needs python3');

afterEach(() => rmSync(path, { force: true }));

test('where nobody listens there is no socket', () => {
  expect(() => new PacketSocket(path, 100, { onPacket() {}, onEnded() {} })).toThrow('connect');
});

const server = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); s.listen(1); print("listening", flush=True)
c, _ = s.accept()
said = c.recv(100)
fd = os.open("/proc/version", os.O_RDONLY)
c.sendmsg([said + b" one"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
c.send(b"two")
c.send(b"x" * 101)
c.recv(1)
`;

test.skipIf(!hasPython)('packets come one by one, with their descriptors, and none that is too large', async () => {
  const child = spawn('python3', ['-c', server, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const packets: Packet[] = [];
  const ended = await new Promise<string>((resolve) => {
    const socket = new PacketSocket(path, 100, { onPacket: (packet) => void packets.push(packet), onEnded: resolve });
    socket.send(Buffer.from('hello'));
  });
  expect(ended).toBe('a packet is too large');
  expect(packets.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['hello one', 'two']);
  expect(packets.map(({ descriptors }) => descriptors.length)).toEqual([1, 0]);
  const [fd] = packets[0].descriptors;
  expect(readFileSync(fd, 'utf8')).toContain('Linux');
  closeSync(fd);
  await once(child, 'exit');
});
