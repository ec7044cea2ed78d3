import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Player } from './h1-player.ts';
import { H2Player } from './h2-player.ts';
import { PrefixPlayer } from './prefix-player.ts';
import { bytesOf, readTranscripts, type Transcript } from './transcript.ts';

function playerOf(words: readonly string[]): Player | H2Player | PrefixPlayer {
  const [role = ''] = words;
  if (role === 'client-hello' || role === 'proxy-protocol') return new PrefixPlayer(words);
  return role.startsWith('h2-') ? new H2Player(words) : new Player(words);
}

/** Plays a transcript; `pieceSize` bytes arrive at once. */
function play(transcript: Transcript, pieceSize: number): void {
  const [first, ...rest] = transcript.blocks;
  if (first === undefined || first.kind !== 'codec')
    throw new Error(`"${transcript.name}" does not begin with a codec`);
  const player = playerOf(first.words);
  for (const block of rest) {
    switch (block.kind) {
      case 'http':
      case 'hex':
      case 'frames': {
        const text = block.kind === 'hex' ? Buffer.from(block.text.replaceAll(/#.*|\s/g, ''), 'hex') : null;
        const bytes = text ?? (player instanceof H2Player ? player.bytesOf(block.text) : bytesOf(block.text));
        // A copy each, as from a socket: a codec owns what it is given.
        for (let at = 0; at < bytes.length; at += pieceSize)
          player.receive(Buffer.from(bytes.subarray(at, at + pieceSize)));
        break;
      }
      case 'do':
        if (player instanceof PrefixPlayer) throw new Error('nothing is done to what is only read');
        for (const line of block.text.split('\n')) player.perform(line);
        break;
      case 'events':
        expect(player.takeEvents()).toBe(block.text);
        break;
      case 'wire':
        expect(player instanceof PrefixPlayer ? '' : player.takeWritten()).toBe(block.text);
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
