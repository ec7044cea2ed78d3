/** In the server's namespace: answers on port 15000 what it got, twice, after its end, with who it came from in front. */
import { createServer } from 'node:net';

const [host] = process.argv.slice(2);
const doubling = createServer({ allowHalfOpen: true }, (socket) => {
  const chunks: Buffer[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    const all = Buffer.concat(chunks);
    socket.end(Buffer.concat([Buffer.from(`${socket.remoteAddress} `), all, all]));
  });
});
const echoing = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
});
const resetting = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.resetAndDestroy());
});
doubling.listen(15000, host, () =>
  echoing.listen(16000, host, () => resetting.listen(16001, host, () => console.log('listening'))),
);
