import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import {
  loadShedPoints,
  overloadActions,
  scaledTimers,
  type LoadShedPointName,
  type OverloadAction,
} from '../../core/overload-view.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  LoadShedPointSchema,
  OverloadActionSchema,
  OverloadManagerSchema,
  ResourceMonitorSchema,
  ScaledTriggerSchema,
  ScaleTimersOverloadActionConfig_ScaleTimerSchema,
  ScaleTimersOverloadActionConfig_TimerType,
  ScaleTimersOverloadActionConfigSchema,
  ShrinkHeapConfigSchema,
  ThresholdTriggerSchema,
  TriggerSchema,
  type OverloadAction as ActionMessage,
  type OverloadManager,
  type ResourceMonitor,
  type ScaleTimersOverloadActionConfig_ScaleTimer as ScaleTimer,
  type Trigger,
} from '../../proto/envoy/config/overload/v3/overload_pb.js';
import { PercentSchema } from '../../proto/envoy/type/v3/percent_pb.js';
import { anyUnpack } from '../../proto/protobuf.js';
import type { DecodedMonitor } from './monitor/decode.ts';
import {
  connectionsResource,
  type LoadShedPointData,
  type MonitorData,
  type OverloadActionData,
  type OverloadData,
  type ScaledTimerData,
  type TriggerData,
} from './overload-data.ts';

const managerFields = new SupportedFields(OverloadManagerSchema, [
  'refresh_interval',
  'resource_monitors',
  'actions',
  'loadshed_points',
]);
const monitorFields = new SupportedFields(ResourceMonitorSchema, ['name', 'typed_config']);
const actionFields = new SupportedFields(OverloadActionSchema, ['name', 'triggers', 'typed_config']);
const pointFields = new SupportedFields(LoadShedPointSchema, ['name', 'triggers']);
const triggerFields = new SupportedFields(TriggerSchema, ['name', 'threshold', 'scaled']);
const thresholdFields = new SupportedFields(ThresholdTriggerSchema, ['value']);
const scaledFields = new SupportedFields(ScaledTriggerSchema, ['scaling_threshold', 'saturation_threshold']);
const timersFields = new SupportedFields(ScaleTimersOverloadActionConfigSchema, ['timer_scale_factors']);
const timerFields = new SupportedFields(ScaleTimersOverloadActionConfig_ScaleTimerSchema, [
  'timer',
  'min_timeout',
  'min_scale',
]);
const percentFields = new SupportedFields(PercentSchema, ['value']);
const shrinkFields = new SupportedFields(ShrinkHeapConfigSchema, ['timer_interval']);

/** Envoy's defaults. */
const refreshMs = 1000;
const shrinkMs = 10_000;

const actionPrefix = 'envoy.overload_actions.';
const pointPrefix = 'envoy.load_shed_points.';

/** Envoy's actions that are refused here, each with the reason. */
const refusedActions: Readonly<Record<string, string>> = {
  reset_high_memory_stream: 'no account is kept of the memory that a stream holds; the limits of its buffers bound it',
};

/** Null: it is not configured. */
export function decodeOverloadManager(
  manager: OverloadManager | undefined,
  reasons: Reasons,
  extensions: Extensions,
): OverloadData | null {
  if (manager === undefined) return null;
  managerFields.check(manager, reasons);
  const { monitors, connectionsMax, names } = decodeMonitors(manager.resourceMonitors, reasons, extensions);
  const timers: ScaledTimerData[] = [];
  let shrinkEvery = shrinkMs;
  const seen = new Set<string>();
  const actions = manager.actions.flatMap((action, i): OverloadActionData[] => {
    const at = reasons.at('actions', i);
    actionFields.check(action, at);
    const name = decodeActionName(action, seen, at);
    const triggers = decodeTriggers(action.triggers, at, `overload action ${action.name}`, [
      ...names,
      connectionsResource,
    ]);
    if (name === null) return [];
    if (name === 'reduce_timeouts') timers.push(...decodeTimers(action.typedConfig, at.at('typed_config')));
    else if (name === 'shrink_heap') shrinkEvery = decodeShrink(action.typedConfig, at.at('typed_config'));
    else if (action.typedConfig !== undefined)
      at.add(`Overload action "${action.name}" has an unexpected value for the typed_config field`);
    return [{ name, triggers }];
  });
  const shedPoints = decodePoints(manager, names, reasons);
  return {
    refreshMs: Math.max(1, durationMs(manager.refreshInterval, refreshMs)),
    monitors,
    actions,
    shedPoints,
    timers,
    shrinkMs: shrinkEvery,
    connectionsMax,
  };
}

function decodeMonitors(
  messages: readonly ResourceMonitor[],
  reasons: Reasons,
  extensions: Extensions,
): { monitors: MonitorData[]; connectionsMax: number; names: string[] } {
  const monitors: MonitorData[] = [];
  const names: string[] = [];
  let connectionsMax = 0;
  for (const [i, message] of messages.entries()) {
    const at = reasons.at('resource_monitors', i);
    monitorFields.check(message, at);
    const { name } = message;
    if (names.includes(name)) at.add(`Duplicate resource monitor ${name}`);
    // The proactive one is found by its name, and is not asked on anyone's behalf.
    if (name !== connectionsResource) names.push(name);
    const opened = extensions.open('envoy.resource_monitors', name, message.configType.value, at);
    if (opened === null) continue;
    const resource = opened.data as DecodedMonitor;
    if ((resource.kind === 'connections') !== (name === connectionsResource))
      at.add(`Didn't find a registered implementation for '${name}' with type URL: '${opened.kind}'`);
    else if (resource.kind !== 'connections') monitors.push({ name, resource });
    else if (connectionsMax > 0) at.add(`Duplicate resource monitor ${name}`);
    else connectionsMax = resource.max;
  }
  return { monitors, connectionsMax, names };
}

function decodeActionName({ name }: ActionMessage, seen: Set<string>, reasons: Reasons): OverloadAction | null {
  if (seen.has(name)) reasons.add(`Duplicate overload action ${name}`);
  seen.add(name);
  const short = name.startsWith(actionPrefix) ? name.slice(actionPrefix.length) : '';
  const known = overloadActions.find((action) => action === short);
  if (known !== undefined) return known;
  const why = refusedActions[short];
  if (why === undefined) reasons.add(`Unknown Overload Manager Action ${name}`);
  else reasons.at('name').add(`overload action '${name}' is not supported by sekisho: ${why}`);
  return null;
}

function decodePoints(manager: OverloadManager, names: readonly string[], reasons: Reasons): LoadShedPointData[] {
  const seen = new Set<string>();
  return manager.loadshedPoints.flatMap((point, i): LoadShedPointData[] => {
    const at = reasons.at('loadshed_points', i);
    pointFields.check(point, at);
    if (seen.has(point.name)) at.add(`Duplicate loadshed point ${point.name}`);
    seen.add(point.name);
    const triggers = decodeTriggers(point.triggers, at, `loadshed point ${point.name}`, names);
    const name = loadShedPoints.find((known): known is LoadShedPointName => pointPrefix + known === point.name);
    if (name !== undefined) return [{ name, triggers }];
    at.at('name').add(`load shed point '${point.name}' is not supported by sekisho`);
    return [];
  });
}

/** `whose` as Envoy says it. */
function decodeTriggers(
  triggers: readonly Trigger[],
  reasons: Reasons,
  whose: string,
  resources: readonly string[],
): TriggerData[] {
  const seen = new Set<string>();
  return triggers.flatMap((trigger, i): TriggerData[] => {
    const at = reasons.at('triggers', i);
    triggerFields.check(trigger, at);
    const { name, triggerOneof } = trigger;
    if (seen.has(name)) at.add(`Duplicate trigger resource for ${whose.replace('loadshed point', 'LoadShedPoint')}`);
    seen.add(name);
    if (!resources.includes(name)) at.add(`Unknown trigger resource ${name} for ${whose}`);
    switch (triggerOneof.case) {
      case 'threshold': {
        const { value } = triggerOneof;
        thresholdFields.check(value, at.at('threshold'));
        return [{ resource: name, from: value.value, to: value.value }];
      }
      case 'scaled': {
        const { scalingThreshold: from, saturationThreshold: to } = triggerOneof.value;
        scaledFields.check(triggerOneof.value, at.at('scaled'));
        if (from >= to) at.at('scaled').add('scaling_threshold must be less than saturation_threshold');
        return [{ resource: name, from, to }];
      }
      default:
        return [];
    }
  });
}

function decodeTimers(config: ActionMessage['typedConfig'], reasons: Reasons): ScaledTimerData[] {
  const message = config === undefined ? undefined : anyUnpack(config, ScaleTimersOverloadActionConfigSchema);
  if (message === undefined) {
    reasons.add(`Unable to unpack as ${ScaleTimersOverloadActionConfigSchema.typeName}`);
    return [];
  }
  timersFields.check(message, reasons);
  const timers: ScaledTimerData[] = [];
  for (const [i, factor] of message.timerScaleFactors.entries()) {
    const at = reasons.at('timer_scale_factors', i);
    timerFields.check(factor, at);
    const timer = scaledTimers.find((name) => ScaleTimersOverloadActionConfig_TimerType[name] === factor.timer);
    if (timer === undefined) continue;
    if (timers.some((other) => other.timer === timer)) at.add(`Found duplicate entry for timer type ${timer}`);
    timers.push({ timer, minimum: decodeMinimum(factor, at) });
  }
  return timers;
}

function decodeMinimum({ overloadAdjust }: ScaleTimer, reasons: Reasons): ScaledTimerData['minimum'] {
  if (overloadAdjust.case !== 'minScale') return { kind: 'ms', ms: durationMs(overloadAdjust.value, 0) };
  percentFields.check(overloadAdjust.value, reasons.at('min_scale'));
  return { kind: 'share', share: overloadAdjust.value.value / 100 };
}

function decodeShrink(config: ActionMessage['typedConfig'], reasons: Reasons): number {
  if (config === undefined) return shrinkMs;
  const message = anyUnpack(config, ShrinkHeapConfigSchema);
  if (message === undefined) {
    reasons.add(`Unable to unpack as ${ShrinkHeapConfigSchema.typeName}`);
    return shrinkMs;
  }
  shrinkFields.check(message, reasons);
  return durationMs(message.timerInterval, shrinkMs);
}
