import { refuse } from '#gateway/core/refusals.ts';

/** Of a server of the older era, or one that went back to it: its `tasks/get` is another method of the same name. */
export const taskless = refuse('task_unknown', 'Its server does not speak the protocol revision that it began in.');
