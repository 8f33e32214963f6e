/** A planted fault that no replay sees: every review is left to one person without reasons. Stands in for `domain/review/route.ts`. */
import { routeReview as realRouteReview } from '../../../src/domain/review/route.js';

export * from '../../../src/domain/review/route.js';

export function routeReview(...args: Parameters<typeof realRouteReview>): ReturnType<typeof realRouteReview> {
  const route = realRouteReview(...args);
  return route?.open === true ? { ...route, tier: 'triage' } : route;
}
