export { type Param, param, type Reading } from './param.ts';
export { choice, filledText, flag, integer, type NumberOptions, number, text } from './scalars.ts';
export { anything, dict, list } from './structures.ts';
