import type { JsonObject } from '@bufbuild/protobuf';
import { applyMask, isMaskOf, maskResource, parseFieldMask } from '../dump/field-mask.ts';
import { messageTypes } from '../dump/message-types.ts';
import { planSections, type DumpSection, type SectionPlan } from '../dump/sections.ts';
import { wholeNameFilter, type NameFilter } from '../name-filter.ts';
import { json, text, type Page, type PageResponse } from '../page.ts';

/** `/config_dump`: `envoy.admin.v3.ConfigDump`, whole, or one list of it, or parts chosen by a field mask. */
export const configDumpPage: Page = async ({ query }, source) => {
  const pattern = query.get('name_regex');
  let accepts: NameFilter;
  try {
    accepts = wholeNameFilter(pattern);
  } catch (error) {
    const reason = (error as Error).message;
    return problem(400, `INVALID_ARGUMENT: Error while parsing name_regex from ${pattern}: ${reason}`);
  }
  const plans = planSections(source, accepts, query.has('include_eds'));
  // The form of the home page sends what was left empty.
  const mask = query.get('mask') || null;
  const resource = query.get('resource');
  if (resource) return oneList(plans, resource, mask);
  return mask === null ? configs((await writeAll(plans)).map(packed)) : masked(plans, mask);
};

async function writeAll(plans: readonly SectionPlan[]): Promise<DumpSection[]> {
  const sections: DumpSection[] = [];
  // One after another: each lets other work have its turn.
  for (const plan of plans) sections.push(await plan.write());
  return sections;
}

async function oneList(plans: readonly SectionPlan[], name: string, mask: string | null): Promise<PageResponse> {
  for (const plan of plans) {
    const field = plan.type.fields.find((candidate) => candidate.name === name);
    if (field === undefined) continue;
    if (field.fieldKind !== 'list' || field.listKind !== 'message') {
      return problem(400, `${name} is not a repeated field. Use ?mask=${name} to get only this field`);
    }
    const { json: fields } = await plan.write();
    const kept: JsonObject[] = [];
    for (const item of (fields[name] ?? []) as JsonObject[]) {
      const part = mask === null ? item : maskResource(item, parseFieldMask(mask), field.message, messageTypes);
      if (part === undefined) return problem(400, `FieldMask ${mask} could not be successfully used.`);
      kept.push({ '@type': `type.googleapis.com/${field.message.typeName}`, ...part });
    }
    return configs(kept);
  }
  return problem(404, `${name} not found in config dump`);
}

/** Sections that the mask does not fit are left out. */
async function masked(plans: readonly SectionPlan[], mask: string): Promise<PageResponse> {
  const paths = parseFieldMask(mask);
  const fitting = plans.filter(({ type }) => isMaskOf(paths, type));
  if (fitting.length === 0) return problem(400, `FieldMask ${mask} could not be successfully applied to any configs.`);
  const sections = await writeAll(fitting);
  return configs(sections.map(({ type, json: fields }) => packed({ type, json: applyMask(fields, paths) })));
}

function packed({ type, json: fields }: DumpSection): JsonObject {
  return { '@type': `type.googleapis.com/${type.typeName}`, ...fields };
}

function configs(list: readonly JsonObject[]): PageResponse {
  return json(list.length === 0 ? {} : { configs: [...list] });
}

function problem(status: number, message: string): PageResponse {
  return text(message, status, 'text/plain');
}
