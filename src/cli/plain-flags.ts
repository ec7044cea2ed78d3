import { flags, type Flag } from './flags.ts';
import { buildOptions, OptionsError, type Options } from './options.ts';

type Value = string | number | boolean | readonly string[];

/**
 * The options of an ordinary command line, read without the library, whose loading takes a start 15 ms. Null: a command,
 * help, a mistake or a rarer way of writing, which `readCommandLine` understands or says what is wrong with.
 */
export function readPlainFlags(args: readonly string[]): Options | null {
  const raw: Record<string, Value> = {};
  for (let i = 0; i < args.length; i++) {
    const equals = args[i].startsWith('--') ? args[i].indexOf('=') : -1;
    const written = equals === -1 ? args[i] : args[i].slice(0, equals);
    const flag = flags.find(({ name, short }) => written === `--${name}` || written === `-${short}`);
    if (flag === undefined || (flag.kind === 'switch' && equals !== -1)) return null;
    const name = flag.name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    const text = flag.kind === 'switch' ? '' : equals === -1 ? args[++i] : args[i].slice(equals + 1);
    if (text === undefined || (equals === -1 && text.startsWith('-'))) return null;
    const value = valueOf(flag, text, raw[name]);
    if (value === null) return null;
    raw[name] = value;
  }
  try {
    return buildOptions(raw);
  } catch (error) {
    if (error instanceof OptionsError) return null;
    throw error;
  }
}

function valueOf(flag: Flag, text: string, before: Value | undefined): Value | null {
  if (flag.kind === 'switch') return true;
  if (flag.kind === 'list') return [...((before as readonly string[] | undefined) ?? []), text];
  if (before !== undefined) return null;
  if (flag.kind === 'text') return text;
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
