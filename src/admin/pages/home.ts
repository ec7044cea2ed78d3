import type { Endpoint, Parameter } from '../endpoint.ts';
import { escapeHtml, html, type Page } from '../page.ts';

/** `/`: every page as a link or a form; what changes something is a button that POSTs. No scripts. */
export function homePage(endpoints: readonly Endpoint[]): Page {
  return () =>
    html(
      `${head}${endpoints
        .filter(({ path }) => path !== '/')
        .map(section)
        .join('')}</table></body></html>\n`,
    );
}

const head = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<title>sekisho admin</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; width: 100%; }
td { padding: 0.3em 0.6em; text-align: left; vertical-align: top; }
tr.command td { border-top: 1px solid #ddd; }
tr.parameter td:first-child { text-align: right; }
form { margin: 0; }
button.link { background: none; border: none; padding: 0; font: inherit; color: #06c; text-decoration: underline; cursor: pointer; }
</style>
</head>
<body>
<h1>sekisho</h1>
<table>
`;

function section({ path, isMutating, help, parameters }: Endpoint): string {
  const name = escapeHtml(path.slice(1));
  const button = isMutating ? `<button>${name}</button>` : `<button class="link">${name}</button>`;
  const form = `<form action="${name}" method="${isMutating ? 'post' : 'get'}" id="${name}">${button}</form>`;
  const row = `<tr class="command"><td>${form}</td><td>${escapeHtml(help)}</td></tr>\n`;
  return row + parameters.map((parameter) => field(name, parameter)).join('');
}

function field(form: string, parameter: Parameter): string {
  const id = `${form}-${parameter.name}`;
  const label = `<label for="${id}">${escapeHtml(parameter.help)}</label>`;
  return `<tr class="parameter"><td>${control(form, id, parameter)}</td><td>${label}</td></tr>\n`;
}

function control(form: string, id: string, { name, kind, choices }: Parameter): string {
  const attributes = `name="${name}" id="${id}" form="${form}"`;
  if (kind === 'flag') return `<input type="checkbox" ${attributes}>`;
  if (kind === 'text') return `<input type="text" ${attributes}>`;
  return `<select ${attributes}>${choices.map((choice) => `<option>${choice}</option>`).join('')}</select>`;
}
