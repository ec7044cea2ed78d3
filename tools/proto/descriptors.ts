import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/**
 * Every file descriptor embedded in the Go sources of the modules that `go.mod` requires, by proto file name.
 * protoc-gen-go writes the serialized descriptor into each `.pb.go`, as a string constant or as a byte array.
 */
export function readDescriptors(moduleFile: string): Map<string, FileDescriptorProto> {
  const files = new Map<string, FileDescriptorProto>();
  for (const folder of moduleFolders(moduleFile)) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.pb.go')) continue;
      const bytes = embeddedDescriptor(readFileSync(join(folder, name), 'latin1'));
      if (bytes === null) continue;
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  }
  return files;
}

/** The modules' folders in Go's module cache; `go mod download` checks each against go.sum. */
function moduleFolders(moduleFile: string): string[] {
  const paths = [...readFileSync(moduleFile, 'utf8').matchAll(/^\t(\S+) v/gm)].map((match) => match[1]);
  const output = execFileSync('go', ['mod', 'download', '-json', ...paths], {
    cwd: join(moduleFile, '..'),
    encoding: 'utf8',
  });
  const modules = JSON.parse(`[${output.trim().replaceAll(/^\}\n\{/gm, '},{')}]`) as { Dir: string }[];
  return modules.map((module) => module.Dir);
}

/** `source` read as latin1, so that a char is a byte. */
function embeddedDescriptor(source: string): Uint8Array | null {
  const array = /_rawDesc = \[\]byte\{([^}]*)\}/.exec(source);
  if (array !== null) return Uint8Array.from(array[1].match(/0x[0-9a-f]{2}/g) ?? [], Number);
  const start = /_rawDesc = ""((?: \+\n\t"(?:[^"\\\n]|\\.)*")+)/.exec(source);
  if (start === null) return null;
  const parts = [...start[1].matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map((match) => unquote(match[1]));
  return Uint8Array.from(Buffer.from(parts.join(''), 'latin1'));
}

const namedEscapes: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, '"': 34 };

/** The escapes of a Go interpreted string literal; the result is bytes as latin1 chars. */
function unquote(literal: string): string {
  return literal.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3})|(.))/gi,
    (all, x, u, long, octal, one) => {
      if (x !== undefined) return String.fromCharCode(parseInt(x, 16));
      if (u !== undefined || long !== undefined)
        return Buffer.from(String.fromCodePoint(parseInt(u ?? long, 16)), 'utf8').toString('latin1');
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      const code = namedEscapes[one];
      if (code === undefined) throw new Error(`unknown escape ${all}`);
      return String.fromCharCode(code);
    },
  );
}
