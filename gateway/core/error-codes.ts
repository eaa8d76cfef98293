/** JSON-RPC error codes that MCP gives a meaning, as far as the gateway acts on them (protocol.md A10, B). */
export const errorCodes = {
  headerMismatch: -32020,
  capabilityMissing: -32021,
  versionUnsupported: -32022,
  /** "Send the person there first, then call again" (2025-11-25); the newer era must not see this code. */
  urlNeeded: -32042,
  /** The newer era must not see this one either: there it is -32602. */
  notFoundOfLegacy: -32002,
  internal: -32603,
} as const;
