/** What browser nodes need of the node contract beyond what every node of this package needs. */
export type { ErrorVerdict, LostResource, ResourceScope } from '@casare/execution';
export type { Clock, EffectKind, JsonObject, JsonValue, Logger, NodeContext, NodeType } from '../ports.ts';
