import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { check } from '../../../src/cli/check.ts';
import { readConfig } from '../../../src/config/document.ts';
import { isRefused, parseBootstrap } from '../../../src/config/parse.ts';
import { place } from '../../../src/config/place.ts';
import type { Configuration } from '../../../src/control/configuration.ts';

/** The first half of loading, which needs no extensions. */
async function load(path: string, allowUnknown: boolean): Promise<Configuration> {
  const document = readConfig({ path });
  const { message, reasons } = parseBootstrap(document, { allowUnknown });
  const problems = place(reasons, document);
  if (isRefused(reasons)) return { isRefused: true, document, problems };
  const data = {} as Extract<Configuration, { isRefused: false }>['data'];
  const decoding = {} as Extract<Configuration, { isRefused: false }>['decoding'];
  return { isRefused: false, document, message, data, decoding, extensions: [], warnings: problems };
}

async function run(format: 'text' | 'json', texts: readonly string[], allowUnknownFields = false) {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-check-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = texts.map((text, index) => {
    const path = join(folder, `${index}.yaml`);
    writeFileSync(path, text);
    return path;
  });
  let output = '';
  const environment = { load, write: (text: string) => void (output += text), hasColor: false };
  const status = await check({ files, format, allowUnknownFields }, environment);
  return { status, output: output.replaceAll(`${folder}/`, '') };
}

const good = 'node: {id: a}\n';
const bad = 'node: {id: a}\nstatic_resurces: {}\nadmin: {address: 5}\n';

test('a good file', async () => {
  expect(await run('text', [good])).toEqual({ status: 0, output: "configuration '0.yaml' OK\n" });
});

test('every problem of every file, with its place', async () => {
  const { status, output } = await run('text', [bad, good]);
  expect(status).toBe(1);
  expect(output).toContain('0.yaml:2:1: error: ');
  expect(output).toContain('0.yaml:3:18: error: ');
  expect(output).toContain('did you mean static_resources?');
  expect(output).toContain("configuration '0.yaml' refused: 2 errors\n");
  expect(output).toContain("configuration '1.yaml' OK\n");
});

test('for machines', async () => {
  const { status, output } = await run('json', [bad, good]);
  expect(status).toBe(1);
  const { files } = JSON.parse(output);
  expect(files[0]).toMatchObject({
    file: '0.yaml',
    isRefused: true,
    problems: [
      { file: '0.yaml', line: 2, column: 1, severity: 'error', suggestion: 'static_resources' },
      { file: '0.yaml', line: 3, column: 18, path: 'admin.address' },
    ],
  });
  expect(files[1]).toEqual({ file: '1.yaml', isRefused: false, problems: [] });
});

test('unknown fields may be allowed', async () => {
  const { status, output } = await run('text', ['nod: {}\n'], true);
  expect(status).toBe(0);
  expect(output).toContain('warning');
});
