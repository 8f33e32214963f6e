/**
 * Puts message and stack of every failure into a payload, so that the codec encrypts them, too. CommonJS: the SDK takes it
 * by path, requires it in the worker and bundles it into the workflows.
 */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
