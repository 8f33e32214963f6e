/** Times of the lease, for the workflow that gives it and the process that has it. Pure. */

/** The server gives lanes away when it heard nothing for this long; shorter ones do not survive a hiccup of a process or a server. */
export const LEASE_TIMEOUT_MS = 5_000;
/** An owner stops this much before the server gives its lanes away: the time in which critics that are told to stop do. */
export const LEASE_MARGIN_MS = 500;
/** Beats are this far apart, so that three may be lost. */
export const LEASE_BEAT_MS = 1_250;
