/** The thread where nothing is built: a thread of Node 20 takes no loaders from the command line. */
import { register } from 'tsx/esm/api';

register();
export const { serve } = await import('./thread.ts');
