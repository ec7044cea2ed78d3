import type { Row } from '../../row.ts';

/** What is compared besides the usual: `overload.*` without how long a refresh took to come. */
export const counted = /^(http|http2|cluster|listener|tcp|overload\.envoy)\./;

export interface OverloadParts {
  /** Without `envoy.overload_actions.` */
  readonly actions?: readonly string[];
  /** Without `envoy.load_shed_points.` */
  readonly points?: readonly string[];
  /** More of an action, by its name. */
  readonly typed?: Readonly<Record<string, object>>;
  readonly trigger?: object;
}

/** An overload manager in which every action and point has a resource of its own: a file of its name. */
export function overloadManager({ actions = [], points = [], typed = {}, trigger }: OverloadParts): string {
  const triggers = (name: string): object[] => [
    { name: `envoy.resource_monitors.${name}`, ...(trigger ?? { threshold: { value: 0.9 } }) },
  ];
  const manager = {
    refresh_interval: '0.02s',
    resource_monitors: [...actions, ...points].map((name) => ({
      name: `envoy.resource_monitors.${name}`,
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.resource_monitors.injected_resource.v3.InjectedResourceConfig',
        filename: `{{directory}}/${name}`,
      },
    })),
    actions: actions.map((name) => ({
      name: `envoy.overload_actions.${name}`,
      triggers: triggers(name),
      ...(typed[name] === undefined ? {} : { typed_config: typed[name] }),
    })),
    loadshed_points: points.map((name) => ({ name: `envoy.load_shed_points.${name}`, triggers: triggers(name) })),
  };
  return `overload_manager: ${JSON.stringify(manager)}`;
}

/** Files of all of them, at rest. */
export function relieved(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, '0']));
}

/** All at rest but one, and both proxies know. */
export function pressed(names: readonly string[], name: string | null, value = 0.95): Pick<Row, 'files' | 'awaits'> {
  const files = relieved(names);
  if (name !== null) files[name] = String(value);
  return {
    files,
    awaits: Object.fromEntries(
      names.map((each) => [`overload.envoy.resource_monitors.${each}.pressure`, Math.floor(Number(files[each]) * 100)]),
    ),
  };
}
