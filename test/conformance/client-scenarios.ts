/** The scenarios for clients that are about what a gateway does as one (protocol.md F4), by what their server speaks. */
export const clientScenarios = {
  '2025-11-25': [
    'initialize',
    'tools_call',
    'sse-retry',
    'json-schema-2020-12-preservation',
    // Its server asks outside of the call that it is about, where nobody can be asked (protocol.md C4): it does not pass.
    'elicitation-sep1034-client-defaults',
  ],
  '2026-07-28': [
    'tools_call',
    'request-metadata',
    'sep-2322-client-request-state',
    'http-standard-headers',
    'http-custom-headers',
    'http-invalid-tool-headers',
    'json-schema-ref-no-deref',
    'json-schema-2020-12-preservation',
  ],
} as const;
