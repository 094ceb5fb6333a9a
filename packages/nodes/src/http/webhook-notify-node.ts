/**
 * Tells people of an error: posts a message to a webhook, in the form that its service takes. A server that refuses
 * the message does not fail the node; the output `success` tells. `retry_count` is the engine's: it repeats a post that
 * failed on its way.
 */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, choice, filledText, integer, number, text } from '../params/index.ts';
import type { JsonObject, JsonValue, NodeType } from '../ports.ts';
import { textOf } from '../values/text-of.ts';
import { planRequest } from './request-plan.ts';
import { decoded, unpacked } from './response-text.ts';
import { sendRequest } from './send-request.ts';

const formats = ['generic', 'slack', 'discord', 'teams'] as const;
type Format = (typeof formats)[number];

/** Answers of webhooks are a word or a short JSON. */
const MAX_RESPONSE_BYTES = 1024 * 1024;
/** The longest message that Discord takes, in characters; the other services take more. */
const DISCORD_MAX_LENGTH = 2_000;

export const webhookNotifyNode: NodeType = defineNode({
  type: 'WebhookNotifyNode',
  category: 'error_handling',
  description: 'Posts a message to a webhook, in the form of Slack, Discord, Teams or plain JSON.',
  params: z.object({
    webhook_url: filledText(),
    message: text('Error notification from CasareRPA'),
    error_details: anything(),
    format: choice(formats, 'generic'),
    timeout: number({ fallback: 30, min: 0.001, max: 3_600 }),
    retry_count: integer({ fallback: 0, min: 0, max: 100 }),
    retry_delay: number({ fallback: 2, min: 0, max: 3_600 }),
  }),
  outputs: ['success', 'response'],
  outputsFrom: 'world',
  timeoutMs: ({ timeout }) => timeout * 1_000,
  effect: () => 'effect',
  async run({ params, signal, clock, access, nodeId, jobId }) {
    signal.throwIfAborted();
    const { message, error_details: details, format } = params;
    const body = alertBody(format, { message, details, jobId, nodeId, at: new Date(clock.now()).toISOString() });
    const plan = planRequest({
      url: params.webhook_url,
      method: 'POST',
      headers: {},
      params: {},
      body,
      content_type: 'application/json',
    });
    const answer = await sendRequest(plan, {
      timeoutMs: params.timeout * 1_000,
      verifySsl: true,
      maxRedirects: 0,
      proxy: '',
      maxBytes: MAX_RESPONSE_BYTES,
      hasEffect: true,
      clock,
      signal,
      access,
    });
    const bytes = await unpacked(answer.bytes, answer.headers['content-encoding'] ?? '', MAX_RESPONSE_BYTES);
    const response = decoded(bytes, answer.headers['content-type'] ?? '', '');
    return { outputs: { success: answer.status < 400, response } };
  },
});

interface Alert {
  readonly message: string;
  readonly details: JsonValue;
  readonly jobId: string;
  readonly nodeId: string;
  readonly at: string;
}

function alertBody(format: Format, { message, details, jobId, nodeId, at }: Alert): JsonObject {
  const detailText = details === null || details === '' ? '' : textOf(details);
  switch (format) {
    case 'generic':
      return { message, error_details: details, job_id: jobId, node_id: nodeId, timestamp: at };
    case 'slack':
      return { text: detailText === '' ? message : `${message}\n\`\`\`${detailText}\`\`\`` };
    case 'discord': {
      const content = detailText === '' ? message : `${message}\n${detailText}`;
      return { content: content.slice(0, DISCORD_MAX_LENGTH) };
    }
    case 'teams':
      return {
        '@type': 'MessageCard',
        '@context': 'https://schema.org/extensions',
        summary: message,
        title: message,
        text: detailText === '' ? message : detailText,
      };
  }
}
