/** Bundle entry: the workflows by name. */
export { evaluate } from './evaluate.js';
export { deployment } from './deployment.js';
export { review } from './review.js';
export { notification } from './notification.js';
export { watchdog } from './watchdog.js';
