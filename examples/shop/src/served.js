/**
 * What this process has served so far. The demo reads it to work out what the releases really differ by:
 * what is measured should come out as what was planted.
 */
export const served = {
  /** Cart pages shown. */
  cartPages: 0,
  /** Times that `estimateDelivery` weighed one item in one slot for one courier: its work, in units that cost alike. */
  deliveryEvaluations: 0,
  /** All requests answered. */
  requests: 0,
};
