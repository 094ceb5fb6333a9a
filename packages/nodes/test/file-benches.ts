/** File nodes in a work folder, by their type names. */
import { fileNodes } from '../src/files/file-nodes.ts';
import type { JsonObject, NodeType } from '../src/ports.ts';
import { NodeBench } from './context.ts';

export function fileNodeOf(type: string): NodeType {
  const found = fileNodes.find((candidate) => candidate.type === type);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found;
}

export function fileBench(type: string, config: JsonObject, workDir: string): NodeBench {
  return new NodeBench(fileNodeOf(type), config, { workDir });
}
