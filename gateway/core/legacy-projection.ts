import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * What the newer era may say and the older cannot: there an output schema is of an object, and so is structured content. The
 * official 1.x client throws a whole list away for one tool that is not so. Both are put into a member `result`.
 */
export const isWrapped = (outputSchema: JsonValue | undefined): boolean =>
  outputSchema !== undefined && !(isJsonObject(outputSchema) && outputSchema.type === 'object');

/** The result of `tools/list`, or itself when no tool of it needs another form. */
export function legacyTools(result: JsonObject): JsonObject {
  const { tools } = result;
  if (!Array.isArray(tools) || !tools.some((tool) => isJsonObject(tool) && isWrapped(tool.outputSchema))) return result;
  return { ...result, tools: tools.map((tool) => (isJsonObject(tool) ? legacyTool(tool) : tool)) };
}

function legacyTool(tool: JsonObject): JsonObject {
  const { outputSchema, ...rest } = tool;
  if (!isWrapped(outputSchema)) return tool;
  if (!isJsonObject(outputSchema)) return rest;
  const { $schema, ...natural } = outputSchema;
  // A base of its own, so that "#/$defs/…" in it still means what it meant when it was the root.
  const result = { $id: `urn:sekisho:output:${encodeURIComponent(String(tool.name))}`, ...natural };
  const dialect = $schema === undefined ? {} : { $schema };
  return { ...rest, outputSchema: { ...dialect, type: 'object', properties: { result }, required: ['result'] } };
}

/** The result of a tool call, or itself. `wrapped` says what the list said of the tool. */
export function legacyCalled(result: JsonObject, wrapped: boolean): JsonObject {
  const { structuredContent } = result;
  if (structuredContent === undefined || (!wrapped && isJsonObject(structuredContent))) return result;
  return { ...result, structuredContent: { result: structuredContent } };
}
