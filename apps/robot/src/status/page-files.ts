/**
 * The files of the page. In a checkout its modules are TypeScript, whose types are taken out when they are first asked
 * for; in the published package they are compiled. Preact comes as it is from its package. Nothing is bundled, nothing
 * comes from elsewhere; the one inline script is the import map, allowed by its hash.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { robotVersion } from '../version.ts';

export interface PageFile {
  readonly contentType: string;
  readonly text: string;
}

const importMap = JSON.stringify({ imports: { preact: '/page/preact.js', 'preact/hooks': '/page/preact-hooks.js' } });
const importMapHash = createHash('sha256').update(importMap).digest('base64');

/** The Content-Security-Policy of everything that the status port sends. */
export const pagePolicy: string = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${importMapHash}'`,
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Casare Robot</title>
<link rel="stylesheet" href="/page/style.css">
<link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<script type="importmap">${importMap}</script>
<script type="module" src="/page/main.js"></script>
</head>
<body>
<div id="page" data-version="${robotVersion}"></div>
<noscript>This page needs JavaScript; /status.json and casare-robot status tell the same without.</noscript>
</body>
</html>
`;

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="2" y="4" width="12" height="10" rx="2" fill="#2563eb"/><circle cx="6" cy="9" r="1.5" fill="#fff"/><circle cx="10" cy="9" r="1.5" fill="#fff"/><path d="M8 4V1" stroke="#2563eb" stroke-width="2"/></svg>`;

const script = 'text/javascript; charset=utf-8';
const isSource = import.meta.url.endsWith('.ts');
/** The page's own modules: nothing else is read from its folder. */
const modules = [
  'main',
  'app',
  'charts',
  'actions',
  'live',
  'format',
  'jobs',
  'job-card',
  'doubts',
  'records',
  'shapes',
] as const;

const sources: ReadonlyMap<string, () => Promise<PageFile>> = new Map<string, () => Promise<PageFile>>([
  ['/', async () => ({ contentType: 'text/html; charset=utf-8', text: html })],
  ['/page/icon.svg', async () => ({ contentType: 'image/svg+xml', text: icon })],
  ['/page/style.css', async () => ({ contentType: 'text/css; charset=utf-8', text: await ownFile('style.css') })],
  ['/page/preact.js', async () => ({ contentType: script, text: await libraryFile('preact') })],
  ['/page/preact-hooks.js', async () => ({ contentType: script, text: await libraryFile('preact/hooks') })],
  ...modules.map((name) => [`/page/${name}.js`, () => ownModule(name)] as const),
]);
const read = new Map<string, Promise<PageFile>>();

/** Null when there is no such file. Each is read once. */
export async function pageFile(path: string): Promise<PageFile | null> {
  const source = sources.get(path);
  if (source === undefined) return null;
  const file = read.get(path) ?? source();
  read.set(path, file);
  return file;
}

async function ownModule(name: string): Promise<PageFile> {
  if (!isSource) return { contentType: script, text: await ownFile(`${name}.js`) };
  const stripped = stripTypeScriptTypes(await ownFile(`${name}.ts`));
  return { contentType: script, text: stripped.replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'") };
}

function ownFile(name: string): Promise<string> {
  return readFile(new URL(`./page/${name}`, import.meta.url), 'utf8');
}

async function libraryFile(name: string): Promise<string> {
  const text = await readFile(fileURLToPath(import.meta.resolve(name)), 'utf8');
  return text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n');
}
