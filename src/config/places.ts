import { EVENT_ID, SCALAR_STYLE, getScalarValue, type Event, type ScalarEvent } from 'js-yaml';
import type { ConfigDocument } from './document.ts';
import { TextError, eventsOf, keyText } from './yaml-text.ts';

/** Where a value stands in its text. */
export interface Place {
  readonly document: ConfigDocument;
  /** Of the key in front of it; -1 for the root and for what is in a list. */
  keyStart: number;
  keyEnd: number;
  readonly start: number;
  /** Past the last character; of a list or an object, past the first. */
  readonly end: number;
  readonly entries: Map<string, Place> | null;
  readonly items: Place[] | null;
}

const known = new WeakMap<ConfigDocument, Place | null>();

/** The places of everything in a document with its override; null when the text cannot be read. Reads the text again. */
export function placesOf(document: ConfigDocument): Place | null {
  let place = known.get(document);
  if (place === undefined) {
    const base = readPlaces(document);
    const over = document.override === null ? null : placesOf(document.override);
    place = base === null || over === null ? (base ?? over) : merged(base, over);
    known.set(document, place);
  }
  return place;
}

function readPlaces(document: ConfigDocument): Place | null {
  try {
    return new PlaceReader(document, eventsOf(document.text)).read();
  } catch (error) {
    if (error instanceof TextError) return null;
    throw error;
  }
}

interface Key {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface Frame {
  readonly place: Place | null;
  key: Key | null;
}

class PlaceReader {
  readonly #document: ConfigDocument;
  readonly #events: Event[];
  readonly #anchors = new Map<string, Place>();
  readonly #frames: Frame[] = [];
  #root: Place | null = null;

  constructor(document: ConfigDocument, events: Event[]) {
    this.#document = document;
    this.#events = events;
  }

  read(): Place | null {
    for (const event of this.#events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          if (this.#root !== null) return this.#root;
          this.#frames.push({ place: null, key: null });
          break;
        case EVENT_ID.SCALAR:
          this.#scalar(event);
          break;
        case EVENT_ID.SEQUENCE:
          this.#open(event, { entries: null, items: [] });
          break;
        case EVENT_ID.MAPPING:
          this.#open(event, { entries: new Map(), items: null });
          break;
        case EVENT_ID.ALIAS:
          this.#alias(event);
          break;
        case EVENT_ID.POP:
          this.#frames.pop();
      }
    }
    return this.#root;
  }

  #scalar(event: ScalarEvent): void {
    const { text } = this.#document;
    const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const start = Math.max(0, isQuoted ? event.valueStart - 1 : event.valueStart);
    const end = isQuoted ? event.valueEnd + 1 : Math.max(start, event.valueEnd);
    if (this.#takesKey()) {
      const name = keyText(getScalarValue(text, event), event.style === SCALAR_STYLE.PLAIN);
      this.#frames[this.#frames.length - 1].key = { name, start, end };
      return;
    }
    // A value that is not there has no place of its own.
    const key = this.#frames.at(-1)?.key;
    const isAbsent = event.valueStart === -1;
    const place = this.#place(isAbsent ? (key?.start ?? 0) : start, isAbsent ? (key?.end ?? 0) : end);
    this.#anchor(event, place);
    this.#add(place);
  }

  #open(
    event: { start: number; anchorStart: number; anchorEnd: number },
    inside: { entries: Map<string, Place> | null; items: Place[] | null },
  ): void {
    const place: Place = { ...this.#place(event.start, event.start + 1), ...inside };
    this.#anchor(event, place);
    this.#add(place);
    this.#frames.push({ place, key: null });
  }

  #alias(event: { anchorStart: number; anchorEnd: number }): void {
    const name = this.#document.text.slice(event.anchorStart, event.anchorEnd);
    const target = this.#anchors.get(name);
    if (target === undefined) return;
    if (this.#takesKey()) {
      const key = this.#document.text.slice(target.start, target.end);
      this.#frames[this.#frames.length - 1].key = { name: key, start: event.anchorStart - 1, end: event.anchorEnd };
    } else {
      this.#add({ ...target });
    }
  }

  #takesKey(): boolean {
    const frame = this.#frames.at(-1);
    return frame !== undefined && frame.place !== null && frame.place.entries !== null && frame.key === null;
  }

  #place(start: number, end: number): Place {
    return { document: this.#document, keyStart: -1, keyEnd: -1, start, end, entries: null, items: null };
  }

  #anchor(event: { anchorStart: number; anchorEnd: number }, place: Place): void {
    if (event.anchorStart === -1) return;
    this.#anchors.set(this.#document.text.slice(event.anchorStart, event.anchorEnd), place);
  }

  #add(place: Place): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined || frame.place === null) {
      this.#root = place;
    } else if (frame.place.items !== null) {
      frame.place.items.push(place);
    } else if (frame.key !== null) {
      place.keyStart = frame.key.start;
      place.keyEnd = frame.key.end;
      frame.place.entries!.set(frame.key.name, place);
      frame.key = null;
    }
  }
}

/** As messages are merged: objects field by field, lists one after the other, an `Any` and all else replaced. */
function merged(base: Place, over: Place): Place {
  if (base.items !== null && over.items !== null) return { ...base, items: [...base.items, ...over.items] };
  if (base.entries === null || over.entries === null || over.entries.has('@type')) return over;
  const entries = new Map(base.entries);
  for (const [name, place] of over.entries) {
    const same = [name, camelCase(name), snakeCase(name)].find((one) => entries.has(one));
    if (same === undefined) entries.set(name, place);
    else entries.set(same, merged(entries.get(same)!, place));
  }
  return { ...base, entries };
}

export function camelCase(name: string): string {
  return name.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What a path leads to: the place, and whether it is there or only what is around it. */
export interface Found {
  readonly place: Place;
  readonly isExact: boolean;
}

/**
 * Follows a path in proto names (`static_resources.clusters[0].name`, map keys in brackets) as far as the text goes.
 * Names may be in camelCase in the text, and an `Any` may hide a level (`value` of a TypedStruct).
 */
export function follow(root: Place, path: string): Found {
  let place = root;
  let at = 0;
  while (at < path.length) {
    const step = path[at] === '[' ? elementStep(path, at, place) : fieldStep(path, at, place);
    if (step === null) return { place, isExact: false };
    place = step.place;
    at = step.next;
  }
  return { place, isExact: true };
}

interface Step {
  readonly place: Place;
  readonly next: number;
}

function fieldStep(path: string, at: number, place: Place): Step | null {
  const start = path[at] === '.' ? at + 1 : at;
  let end = start;
  while (end < path.length && path[end] !== '.' && path[end] !== '[') end++;
  const next = entryOf(place, path.slice(start, end));
  return next === undefined ? null : { place: next, next: end };
}

function entryOf(place: Place, name: string): Place | undefined {
  // A field of a single message may be written as a list of one and the other way round.
  const { entries } = place;
  if (entries === null) return undefined;
  const found = entries.get(name) ?? entries.get(camelCase(name));
  if (found !== undefined || !entries.has('@type')) return found;
  const value = entries.get('value');
  return value === undefined ? undefined : entryOf(value, name);
}

function elementStep(path: string, at: number, place: Place): Step | null {
  let end = path.indexOf(']', at);
  if (end === -1) return null;
  if (place.items !== null || place.entries === null) {
    const index = Number(path.slice(at + 1, end));
    const next = place.items === null && index === 0 ? place : place.items?.[index];
    return next === undefined ? null : { place: next, next: end + 1 };
  }
  // A key may have brackets in it: the first that is a key and ends where a step may end.
  for (; end !== -1; end = path.indexOf(']', end + 1)) {
    const next = place.entries.get(path.slice(at + 1, end));
    if (next !== undefined && (end + 1 === path.length || '.['.includes(path[end + 1])))
      return { place: next, next: end + 1 };
  }
  // A repeated field with one element may be written without its list.
  return path.slice(at, at + 3) === '[0]' ? { place, next: at + 3 } : null;
}
