/**
 * The node contract as this package uses it: types only, so that nothing of the engine is loaded at run time.
 */
export type {
  Clock,
  EffectKind,
  JsonObject,
  JsonValue,
  Logger,
  LogLevel,
  LostResource,
  NodeContext,
  NodeIntent,
  NodeResult,
  NodeType,
  ProbeVerdict,
  VariableScope,
} from '@casare/execution';
