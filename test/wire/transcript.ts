import { readFileSync } from 'node:fs';

/** One fenced block: its info string's words, and its text. */
export interface Block {
  readonly kind: string;
  readonly words: readonly string[];
  readonly text: string;
}

/** A section of a transcript: what is sent and done, and what must be seen. */
export interface Transcript {
  readonly name: string;
  readonly blocks: readonly Block[];
}

/** The sections of a markdown file that have blocks; names carry their headings. */
export function readTranscripts(path: string): Transcript[] {
  const transcripts: { name: string; blocks: Block[] }[] = [];
  const headings: string[] = [];
  let fence: { words: string[]; lines: string[] } | null = null;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (fence !== null) {
      if (line !== '```') {
        fence.lines.push(line);
        continue;
      }
      const [kind = '', ...words] = fence.words;
      const name = headings.slice(1).join(' › ');
      if (transcripts.at(-1)?.name !== name) transcripts.push({ name, blocks: [] });
      transcripts.at(-1)!.blocks.push({ kind, words, text: fence.lines.join('\n') });
      fence = null;
      continue;
    }
    const heading = /^(#+) (.*)$/.exec(line);
    if (heading !== null) {
      headings.length = heading[1].length - 1;
      headings.push(heading[2]);
    } else if (line.startsWith('```')) {
      fence = { words: line.slice(3).split(' '), lines: [] };
    }
  }
  return transcripts;
}

/**
 * The bytes that a block stands for: each line ends with CRLF, one that ends with a backslash with nothing.
 * `\r`, `\n`, `\t`, `\\` and `\xNN` stand for themselves.
 */
export function bytesOf(text: string): Buffer {
  const wire = text
    .split('\n')
    .map((line) => (line.endsWith('\\') ? line.slice(0, -1) : `${line}\r\n`))
    .join('');
  return Buffer.from(unescapeText(wire), 'latin1');
}

export function unescapeText(text: string): string {
  return text.replace(/\\(r|n|t|\\|x[0-9a-f]{2})/g, (_, code: string) => {
    if (code === 'r') return '\r';
    if (code === 'n') return '\n';
    if (code === 't') return '\t';
    return code === '\\' ? '\\' : String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });
}
