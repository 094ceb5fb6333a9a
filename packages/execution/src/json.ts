/** Plain JSON, the only kind of value that workflow variables, node outputs and checkpoints hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}
