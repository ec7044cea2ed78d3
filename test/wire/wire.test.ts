import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Player } from './h1-player.ts';
import { H2Player } from './h2-player.ts';
import { bytesOf, readTranscripts, type Transcript } from './transcript.ts';

/** Plays a transcript; `pieceSize` bytes arrive at once. */
function play(transcript: Transcript, pieceSize: number): void {
  const [first, ...rest] = transcript.blocks;
  if (first === undefined || first.kind !== 'codec')
    throw new Error(`"${transcript.name}" does not begin with a codec`);
  const player = first.words[0]?.startsWith('h2-') === true ? new H2Player(first.words) : new Player(first.words);
  for (const block of rest) {
    switch (block.kind) {
      case 'http':
      case 'frames': {
        const bytes = player instanceof H2Player ? player.bytesOf(block.text) : bytesOf(block.text);
        // A copy each, as from a socket: a codec owns what it is given.
        for (let at = 0; at < bytes.length; at += pieceSize)
          player.receive(Buffer.from(bytes.subarray(at, at + pieceSize)));
        break;
      }
      case 'do':
        for (const line of block.text.split('\n')) player.perform(line);
        break;
      case 'events':
        expect(player.takeEvents()).toBe(block.text);
        break;
      case 'wire':
        expect(player.takeWritten()).toBe(block.text);
        break;
      default:
        throw new Error(`what is a block of ${block.kind}?`);
    }
  }
  expect(player.takeEvents(), 'events that no block names').toBe('');
  if (player instanceof H2Player) expect(player.takeWritten(), 'frames that no block names').toBe('');
}

const directory = import.meta.dirname;
for (const file of readdirSync(directory).filter((name) => name.endsWith('.md') && name !== 'README.md')) {
  describe(basename(file, '.md'), () => {
    for (const transcript of readTranscripts(join(directory, file))) {
      test(transcript.name, () => play(transcript, Infinity));
      const isWhole = transcript.blocks[0]?.words.includes('in-one-piece');
      test.skipIf(isWhole)(`${transcript.name}, byte by byte`, () => play(transcript, 1));
    }
  });
}
