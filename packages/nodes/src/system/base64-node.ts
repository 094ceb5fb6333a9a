/** Base64Node: text to base64 and back. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { choice, text } from '../params/index.ts';
import type { NodeType } from '../ports.ts';

export const base64Node: NodeType = defineNode({
  type: 'Base64Node',
  category: 'system',
  description: 'Encodes text as base64, or decodes it.',
  params: z.object({ action: choice(['encode', 'decode'], 'encode'), input_text: text('') }),
  outputs: ['output', 'success'],
  effect: () => 'pure',
  run: async ({ params }) => {
    const output =
      params.action === 'encode' ? Buffer.from(params.input_text).toString('base64') : decoded(params.input_text);
    return { outputs: { output, success: true } };
  },
});

function decoded(input: string): string {
  const compact = input.replaceAll(/\s/g, '').replaceAll('-', '+').replaceAll('_', '/');
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(compact) && compact.replace(/=+$/, '').length % 4 !== 1;
  if (!isBase64) throw new NodeError('input_text is not base64', { code: 'BASE64_INVALID' });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(compact, 'base64'));
  } catch (cause) {
    throw new NodeError('input_text is base64 of bytes that are no UTF-8 text', { code: 'BASE64_INVALID', cause });
  }
}
