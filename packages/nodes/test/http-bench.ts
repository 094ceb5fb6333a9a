/** Asking test servers through HttpRequestNode. */
import { httpRequestNode } from '../src/http/http-request-node.ts';
import type { JsonObject, NodeContext } from '../src/ports.ts';
import { NodeBench, type TestContextOptions } from './context.ts';
import type { Handler } from './http-server.ts';

export function ask(config: JsonObject, options: TestContextOptions = {}): Promise<JsonObject> {
  return new NodeBench(httpRequestNode, config, options).outputs();
}

/** With other parts of the context, such as its permissions. */
export async function askWith(config: JsonObject, parts: Partial<NodeContext>): Promise<JsonObject> {
  return ((await new NodeBench(httpRequestNode, config).runWith(parts)).outputs ?? {}) as JsonObject;
}

/** Answers with what it was asked. */
export const echo: Handler = ({ method, url, body }, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ method, url, body }));
};

/** Takes the request and hangs up without an answer. */
export const hangUp: Handler = (_seen, response) => {
  response.socket?.destroy();
};
