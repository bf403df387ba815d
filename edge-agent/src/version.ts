/** Of the agent, as it tells the centre and its installer. */
export const VERSION = "0.1.0";
