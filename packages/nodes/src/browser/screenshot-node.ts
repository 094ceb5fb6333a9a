/** ScreenshotNode: a picture of the page, or of one element, as a file. Running it again overwrites the file. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { choice, flag, integer, text } from '../params/index.ts';
import { onPage } from './page-action.ts';
import { ownLimitMs, pageParams } from './page-params.ts';
import type { NodeType } from './ports.ts';
import { normalizeSelector } from './selector.ts';

export const screenshotNode: NodeType = defineNode({
  type: 'ScreenshotNode',
  aliases: ['BrowserScreenshotNode'],
  category: 'browser',
  description: 'Writes a picture of the page, or of one element, to a file (default: screenshot_<node id>.png).',
  params: z.object({
    ...pageParams,
    file_path: text(''),
    selector: text(''),
    full_page: flag(false),
    type: choice(['png', 'jpeg'], 'png', { jpg: 'jpeg' }),
    quality: integer({ fallback: null, min: 0, max: 100 }),
    scale: choice(['css', 'device'], 'device'),
    animations: choice(['allow', 'disabled'], 'allow'),
    omit_background: flag(false),
    caret: choice(['hide', 'initial'], 'hide'),
  }),
  outputs: ['file_path', 'attachment_file'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'idempotent',
  async run(ctx) {
    const { params } = ctx;
    const extension = params.type === 'jpeg' ? 'jpg' : 'png';
    const path = ctx.resolvePath(params.file_path.trim() || `screenshot_${ctx.nodeId}.${extension}`);
    const selector = params.selector.trim() === '' ? null : normalizeSelector(params.selector);
    const what = { action: 'take a picture of', effect: 'idempotent' } as const;
    const { value: picture } = await onPage(
      ctx,
      selector === null ? what : { ...what, selector: params.selector.trim() },
      (page, limits) => {
        const options = {
          ...limits,
          type: params.type,
          scale: params.scale,
          animations: params.animations,
          omitBackground: params.omit_background,
          caret: params.caret,
          ...(params.type === 'jpeg' && params.quality !== null ? { quality: params.quality } : {}),
        };
        return selector === null
          ? page.screenshot({ ...options, fullPage: params.full_page })
          : page.locator(selector).first().screenshot(options);
      },
    );
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, picture);
    return { outputs: { file_path: path, attachment_file: [path] } };
  },
});
