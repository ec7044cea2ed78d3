import { isConfigObject, show, type ConfigObject, type ConfigValue } from '../../config/config-value.ts';
import { nearName } from '../../config/near-name.ts';
import { wrongValue, type ConfigReason } from '../../config/problem.ts';
import type { Reasons } from '../../core/rejection.ts';

/** Reads the fields of an object of a tests file, in proto names or camelCase, and says what is wrong with them. */
export class FieldReader {
  private readonly fields: Map<string, ConfigValue>;
  private readonly reasons: Reasons;

  /** Every field that is not among `known` is a mistake. */
  constructor(value: ConfigValue | undefined, reasons: Reasons, known: readonly string[]) {
    this.reasons = reasons;
    this.fields = new Map();
    if (value === undefined || value === null) return;
    if (!isConfigObject(value)) {
      this.wrong(reasons, 'must be an object', value);
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      const name = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (known.includes(name)) this.fields.set(name, inner);
      else this.unknown(key, known);
    }
  }

  has(name: string): boolean {
    const value = this.fields.get(name);
    return value !== undefined && value !== null;
  }

  /** Null: it is not there. `lengthMin` above 0: it must be. */
  text(name: string, lengthMin = 0): string | null {
    const value = this.fields.get(name);
    if (value === undefined || value === null) {
      if (lengthMin > 0) this.reasons.add(`${name} is required`);
      return null;
    }
    if (typeof value !== 'string') this.wrong(this.reasons.at(name), 'must be a string', value);
    else if (value.length < lengthMin)
      this.wrong(this.reasons.at(name), `must have at least ${lengthMin} character${lengthMin > 1 ? 's' : ''}`, value);
    else return value;
    return null;
  }

  flag(name: string): boolean {
    const value = this.fields.get(name) ?? false;
    if (typeof value !== 'boolean') this.wrong(this.reasons.at(name), 'must be true or false', value);
    return value === true;
  }

  /** An unsigned whole number, also as text; null: it is not there. */
  whole(name: string): bigint | null {
    const value = this.fields.get(name);
    if (value === undefined || value === null) return null;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (/^\d{1,20}$/.test(text)) return BigInt(text);
    this.wrong(this.reasons.at(name), 'must be a whole number that is not negative', value);
    return null;
  }

  /** A duration as protobuf's JSON writes it, in milliseconds; null: it is not there. */
  durationMs(name: string): number | null {
    const value = this.fields.get(name);
    if (value === undefined || value === null) return null;
    const match = typeof value === 'string' ? /^(\d+(?:\.\d{1,9})?)s$/.exec(value) : null;
    if (match !== null) return Number(match[1]) * 1000;
    this.wrong(this.reasons.at(name), 'must be a duration such as 1.5s', value);
    return null;
  }

  object(name: string): ConfigObject | null {
    const value = this.fields.get(name);
    if (value === undefined || value === null) return null;
    if (isConfigObject(value)) return value;
    this.wrong(this.reasons.at(name), 'must be an object', value);
    return null;
  }

  /** Each element through `read`. */
  list<Item>(name: string, read: (value: ConfigValue, reasons: Reasons) => Item): Item[] {
    const value = this.fields.get(name) ?? [];
    if (Array.isArray(value)) return value.map((item, i) => read(item, this.reasons.at(name, i)));
    this.wrong(this.reasons.at(name), 'must be a list', value);
    return [];
  }

  /** What stands there, and where its own reasons go. */
  inner(name: string): readonly [ConfigValue | undefined, Reasons] {
    return [this.fields.get(name), this.reasons.at(name)];
  }

  private wrong(at: Reasons, allowed: string, found: ConfigValue): void {
    at.list.push(wrongValue(at.path, allowed, show(found)));
  }

  private unknown(key: string, known: readonly string[]): void {
    const suggestion = nearName(key, known);
    const reason: ConfigReason = {
      path: this.reasons.at(key).path,
      message: `there is no field "${key}"`,
      isAboutName: true,
      ...(suggestion === undefined ? {} : { suggestion }),
    };
    this.reasons.list.push(reason);
  }
}
