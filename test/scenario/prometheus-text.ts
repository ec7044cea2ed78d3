/** One metric family as the text format has it. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const typeLine = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/;
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/**
 * Reads the Prometheus text format strictly, version 0.0.4: every sample belongs to the family above it, and no family
 * comes twice. @throws Error with the line that is none
 */
export function parsePrometheus(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let family: Family | null = null;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const [, name, type] = typeLine.exec(line) ?? [];
    if (name !== undefined) {
      if (families.has(name)) throw new Error(`a second family ${name}`);
      family = { name, type: type, samples: [] };
      families.set(name, family);
      continue;
    }
    const sample = parseSample(line);
    if (family === null || !belongsTo(sample.name, family)) throw new Error(`without its family: ${line}`);
    family.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labels, value] = sampleLine.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const number = Number(value);
  if (Number.isNaN(number)) throw new Error(`no number: ${line}`);
  return { name, labels: parseLabels(labels ?? '', line), value: number };
}

function parseLabels(text: string, line: string): Map<string, string> {
  const labels = new Map<string, string>();
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const found = label.exec(text);
    if (found === null) throw new Error(`no labels: ${line}`);
    if (labels.has(found[1])) throw new Error(`a label twice: ${line}`);
    labels.set(found[1], found[2]);
  }
  return labels;
}

function belongsTo(name: string, family: Family): boolean {
  if (name === family.name) return family.type !== 'histogram';
  return (
    (family.type === 'histogram' || family.type === 'summary') &&
    [`${family.name}_bucket`, `${family.name}_sum`, `${family.name}_count`].includes(name)
  );
}
