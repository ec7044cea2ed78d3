/** Why the agent cannot start; the message is one line for the terminal. */
export class AgentError extends Error {}
