/** The house rules as tests: what a review would otherwise have to say again and again. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Visitor, parseSync } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Who may import whom: arrows between the rooms of `src` go one way. Everyone may import `core` and itself. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  match: [],
  observe: [],
  codec: [],
  identity: [],
  net: ['identity'],
  tunnel: ['codec', 'net'],
  route: ['match', 'observe'],
  filter: ['match', 'route', 'identity', 'observe'],
  cluster: ['match', 'codec', 'net', 'tunnel', 'identity', 'observe'],
  listener: ['match', 'net', 'codec', 'identity', 'observe'],
  proxy: ['match', 'codec', 'net', 'tunnel', 'identity', 'observe', 'route', 'filter', 'cluster', 'listener'],
  config: ['match', 'codec', 'net', 'tunnel', 'identity', 'observe', 'route', 'filter', 'cluster', 'listener', 'proxy'],
  admin: ['observe', 'config', 'listener', 'control', 'cli'],
  ztunnel: ['codec', 'net', 'tunnel', 'identity', 'observe', 'cluster', 'control', 'agent'],
  agent: ['identity', 'observe', 'cluster'],
  cli: ['observe', 'config', 'control', 'route', 'agent'],
  // The data types and decoders of every room; no file of theirs imports back (the linter's import/no-cycle).
  control: [
    'match',
    'codec',
    'net',
    'tunnel',
    'identity',
    'observe',
    'route',
    'filter',
    'cluster',
    'listener',
    'proxy',
    'config',
    'admin',
  ],
};

/** Rooms that do no I/O, and what of Node is I/O or a clock to them. */
const pureRooms = ['codec', 'filter', 'match', 'route'];

/** Node's modules that are no I/O: pure computation. */
const pureModules = ['node:buffer', 'node:crypto', 'node:zlib'];

const bannedNames = /^(utils?|helpers?|manager|common|misc|index|shared|lib)\.ts$/;

const linesMax = 500;
const functionLinesMax = 60;

/** Files of `src` without a test of their own, each with the reason. */
const untested: Readonly<Record<string, string>> = {};

type Program = ReturnType<typeof parseSync>['program'];

interface Source {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly imports: readonly { readonly specifier: string; readonly isType: boolean }[];
}

const sources = ['src', 'test', 'bench', 'tools'].flatMap((folder) => filesUnder(join(root, folder)).map(read));
const inSource = sources.filter(({ path }) => path.startsWith('src/'));

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('/src/proto/'));
}

function read(file: string): Source {
  const text = readFileSync(file, 'utf8');
  const { program, module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const imports = [
    ...module.staticImports.map(({ moduleRequest, entries }) => ({
      specifier: moduleRequest.value,
      isType: entries.length > 0 && entries.every(({ isType }) => isType),
    })),
    ...module.dynamicImports
      .map(({ moduleRequest }) => text.slice(moduleRequest.start, moduleRequest.end))
      .filter((literal) => /^'[^']*'$/.test(literal))
      .map((literal) => ({ specifier: literal.slice(1, -1), isType: false })),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest, isType }) =>
        moduleRequest ? [{ specifier: moduleRequest.value, isType }] : [],
      ),
    ),
  ];
  return { path: relative(root, file), text, program, imports };
}

/** `src/route/build.ts` → `route`; a file directly in `src` wires the rooms together and belongs to none. */
function roomOf(path: string): string | null {
  const [, room, rest] = path.split('/');
  return rest === undefined ? null : room;
}

/** Imports of other files of the project, resolved to their paths. */
function targetsOf(source: Source): string[] {
  return source.imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => join(dirname(source.path), specifier));
}

/** config_dump prints the messages themselves, so it needs their descriptors. */
const protoFolders = /^src\/(config|control|admin\/dump)\//;

function mayReadProtos(path: string): boolean {
  return protoFolders.test(path) || /^(decode(-[a-z-]+)?|[a-z0-9-]+-decode)\.ts$/.test(basename(path));
}

describe('arrows between rooms', () => {
  test('every room is in the table', () => {
    const rooms = new Set(inSource.map(({ path }) => roomOf(path)).filter((room) => room !== null));
    expect([...rooms].filter((room) => arrows[room] === undefined)).toEqual([]);
  });

  test('go one way', () => {
    const wrong = inSource.flatMap((source) => {
      const room = roomOf(source.path);
      if (room === null) return [];
      const allowed = ['core', 'proto', room, ...(arrows[room] ?? [])];
      return targetsOf(source)
        .filter((target) => !allowed.includes(roomOf(target) ?? 'the top of src'))
        .map((target) => `${source.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('only decode files, config, control and the dump read protobuf', () => {
    const wrong = inSource
      .filter(({ path }) => roomOf(path) !== null && !mayReadProtos(path))
      .filter((source) => targetsOf(source).some((target) => target.startsWith('src/proto/')))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  test('codec, filter and route do no I/O', () => {
    const wrong = inSource
      .filter(({ path }) => pureRooms.includes(roomOf(path) ?? '') && !mayReadProtos(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(
            ({ specifier, isType }) => specifier.startsWith('node:') && !isType && !pureModules.includes(specifier),
          )
          .map(({ specifier }) => `${path} imports ${specifier}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  test('are named after one noun', () => {
    expect(sources.map(({ path }) => path).filter((path) => bannedNames.test(basename(path)))).toEqual([]);
  });

  test('are named in kebab-case', () => {
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|worker|table))?\.ts$/;
    expect(sources.map(({ path }) => path).filter((path) => !kebab.test(basename(path)))).toEqual([]);
  });

  test(`have at most ${linesMax} lines`, () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(
        ({ path, lines }) => lines > linesMax && !path.startsWith('test/peers/rows/') && !path.endsWith('.table.ts'),
      )
      .map(({ path, lines }) => `${path}: ${lines}`);
    expect(long).toEqual([]);
  });

  test('of unit tests are about the room that they lie in', () => {
    const strays = sources
      .filter(({ path }) => /^test\/unit\/[^/]+\/.*\.test\.ts$/.test(path))
      .filter((source) => !reachesRoom(source, source.path.split('/')[2]))
      .map(({ path }) => path);
    expect(strays).toEqual([]);
  });

  test('are reached by a test of their room', () => {
    const tested = testedFiles();
    const missing = inSource
      .filter((source) => roomOf(source.path) !== null && hasCode(source) && untested[source.path] === undefined)
      .map(({ path }) => path)
      .filter((path) => !tested.has(path));
    expect(missing).toEqual([]);
    expect(Object.keys(untested).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

/** Directly, or through what stands beside it in `test` (worlds, tables). */
function reachesRoom(source: Source, room: string): boolean {
  return targetsOf(source).some((target) => {
    if (roomOf(target) === room && target.startsWith('src/')) return true;
    const next = sources.find(({ path }) => path === target);
    return next !== undefined && target.startsWith('test/') && reachesRoom(next, room);
  });
}

/** A file that holds only types has nothing to test. */
function hasCode({ program }: Source): boolean {
  return program.body.some((statement) => {
    const declared = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    return declared?.type === 'FunctionDeclaration' || declared?.type === 'ClassDeclaration';
  });
}

/** Files that a test imports, and what those import within their own room: the parts that they are made of. */
function testedFiles(): Set<string> {
  const importsOf = new Map(inSource.map((source) => [source.path, targetsOf(source)]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const target of importsOf.get(path) ?? []) if (roomOf(target) === roomOf(path)) visit(target);
  };
  for (const source of sources) {
    if (!source.path.startsWith('test/')) continue;
    for (const target of targetsOf(source)) if (target.startsWith('src/')) visit(target);
  }
  return reached;
}

describe('code', () => {
  test(`has functions of at most ${functionLinesMax} lines`, () => {
    const long = sources
      .filter(({ path }) => !path.endsWith('.test.ts') && !path.startsWith('test/contract/'))
      .flatMap(({ path, text, program }) => longFunctions(program, text).map((lines) => `${path}:${lines}`));
    expect(long).toEqual([]);
  });

  test('has no enum, namespace or parameter property', () => {
    const wrong: string[] = [];
    for (const { path, program } of sources) {
      const visitor = new Visitor({
        TSEnumDeclaration: () => void wrong.push(`${path}: enum`),
        TSModuleDeclaration: () => void wrong.push(`${path}: namespace`),
        TSParameterProperty: () => void wrong.push(`${path}: parameter property`),
      });
      visitor.visit(program);
    }
    expect(wrong).toEqual([]);
  });

  test('tries properties with the values of test/property/chance.ts', () => {
    const wrong = sources.filter(({ path, imports }) =>
      imports.some(({ specifier }) => specifier === 'fast-check' && path !== 'test/property/chance.ts'),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test('imports with the extension', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|js|json)$/.test(specifier))
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });
});

/** `first line: length` of functions that are too long. */
function longFunctions(program: Program, text: string): string[] {
  const found: string[] = [];
  // A constructor is as long as the object has fields: each is assigned there.
  const constructors = new Set<number>();
  const check = (node: { start: number; end: number }): void => {
    if (constructors.has(node.start)) return;
    const lines = text.slice(node.start, node.end).split('\n').length;
    if (lines > functionLinesMax) found.push(`${text.slice(0, node.start).split('\n').length}: ${lines}`);
  };
  const remember = (node: { kind: string; value: { start: number } }): void => {
    if (node.kind === 'constructor') constructors.add(node.value.start);
  };
  new Visitor({
    MethodDefinition: remember,
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
  }).visit(program);
  return found;
}

describe('text', () => {
  const texts = [...sources, ...otherTexts()].filter(({ path }) => path !== 'test/tidy.test.ts');

  const banned: readonly (readonly [string, RegExp])[] = [
    ['work that is left for later', /\b(TODO|FIXME|XXX|HACK)\b/],
    ['paths of one machine', /(^|[\s'"`(=])\/(work|root|home|Users)\//m],
    [
      'hosts of package registries',
      /registry\.npmjs\.org|registry\.yarnpkg\.com|files\.pythonhosted\.org|npm\.pkg\.github/,
    ],
    ['white space at the end of a line', /[ \t]+$/m],
  ];

  test.each(banned)('has no %s', (_, pattern) => {
    expect(texts.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

function otherTexts(): { path: string; text: string }[] {
  const names = [
    ...readdirSync(root).filter((name) => /\.(json|md|yaml)$|^(Dockerfile|\.npmrc|\.gitignore)$/.test(name)),
    ...readdirSync(join(root, 'config'), { recursive: true })
      .map((name) => `config/${String(name)}`)
      .filter((name) => name.endsWith('.yaml')),
    ...(existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs'), { recursive: true }) : [])
      .map((name) => `docs/${String(name)}`)
      .filter((name) => name.endsWith('.md')),
    '.ci/run',
  ];
  return names
    .filter((name) => existsSync(join(root, name)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
