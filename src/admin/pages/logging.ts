import { isLogComponent, logComponents, logLevelNames, parseLogLevel } from '../../observe/log/level.ts';
import type { LogLevels } from '../../observe/log/log-levels.ts';
import { text, type Page } from '../page.ts';

/** `/logging`: shows and changes the levels of the application log. */
export const loggingPage: Page = ({ query }, { logLevels }) => {
  const problem = change([...query], logLevels);
  if (problem === '') return text(activeLoggers(logLevels));
  return text(`error: ${problem}\n\n${usage}${activeLoggers(logLevels)}`, 400);
};

const usage =
  'usage: /logging?<name>=<level> (change single level)\n' +
  'usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n' +
  'usage: /logging?level=<level> (change all levels)\n' +
  'usage: /logging?group=<group_name>:<level> (change group of loggers)\n' +
  `levels: ${logLevelNames.join(' ')} \n`;

function activeLoggers(levels: LogLevels): string {
  return `active loggers:\n${logComponents.map((name) => `  ${name}: ${logLevelNames[levels.get(name)]}\n`).join('')}\n`;
}

/** Empty: done; otherwise Envoy's words, and nothing was changed. */
function change(parameters: readonly [string, string][], levels: LogLevels): string {
  const [first, second] = parameters.filter(([, value]) => value !== '');
  if (second !== undefined) return 'invalid number of parameters';
  if (first === undefined) return '';
  const [name, value] = first;
  if (name === 'group') return 'group parameter requires fine-grain logging to be enabled';
  if (name === 'paths') return changeSeveral(value.split(','), levels);
  if (name !== 'level') return changeSeveral([`${name}:${value}`], levels);
  const level = parseLogLevel(value);
  if (level === undefined) return 'unknown logger level';
  levels.setAll(level);
  return '';
}

function changeSeveral(entries: readonly string[], levels: LogLevels): string {
  const changes: (() => void)[] = [];
  for (const entry of entries) {
    const [name, value, ...rest] = entry.split(':');
    if (!name || !value || rest.length > 0) return 'empty logger name or empty logger level';
    const level = parseLogLevel(value);
    if (level === undefined) return 'unknown logger level';
    if (!isLogComponent(name)) return 'unknown logger name';
    changes.push(() => levels.set(name, level));
  }
  for (const apply of changes) apply();
  return '';
}
