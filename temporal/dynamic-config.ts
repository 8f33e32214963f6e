/**
 * The server settings that tribunal relies on, as the development server gets them.
 * `dynamicconfig.yaml` gives the same to people's own servers, with the reasons; a test holds the two equal.
 */
export const DYNAMIC_CONFIG = {
  'matching.priorityLevels': 10,
  'matching.enableFairness': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'history.transferProcessorMaxPollRPS': 5000,
  'history.timerProcessorMaxPollRPS': 5000,
  'history.visibilityProcessorMaxPollRPS': 5000,
  'history.timerProcessorMaxTimeShift': '10ms',
  'frontend.enableCancelWorkerPollsOnShutdown': true,
  'frontend.WorkflowPauseEnabled': true,
} as const satisfies Record<string, boolean | number | string>;
